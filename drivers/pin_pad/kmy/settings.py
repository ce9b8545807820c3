"""What a settings file may say about a KMY pad."""

from collections.abc import Mapping
from dataclasses import dataclass

from drivers.options import OptionError, read_options
from drivers.pin_pad.kmy.codec import MAC_ALGORITHMS, Framing


@dataclass(frozen=True)
class PadSettings:
    """Options of the driver ``kmy``; docs/devices/pin_pad_kmy.md explains each."""

    path: str = ""  # required
    baud: int = 9600
    parity: str = "N"  # N | E | O
    expand: str = "hex"  # hex | raw
    etx: bool = True
    reply_s_max: float = 1.0  # beside the time on the wire and in the cipher
    block_s: float = 0.075  # one 3DES step in the pad; 0.025 for single DES
    tries: int = 3  # of commands that may be repeated
    heartbeat_s: float = 5.0
    mac_algorithm: str = "x9.9"  # x9.9 | sam | unionpay
    pin_master: int = 0  # where the PIN key is, for the proof that the pad does not decrypt with it
    pin_slot: int = 0
    mode_readback: bool = True  # whether the pad answers 45 3F; without it the line is never lent
    component_entry: bool = False  # whether custodians type the parts of keys at this pad (23, 24)
    component_digits: int = 32  # hex digits of one part
    component_letters: str = "F1-F6"  # the keys for A to F; empty where they are printed on the keys
    component_s_max: float = 300.0  # for one part; the pad's own limit should come first
    refuse_simulator: bool = False

    @property
    def framing(self) -> Framing:
        return Framing(self.expand == "hex", self.etx)


def pad_settings(options: Mapping[str, object]) -> PadSettings:
    """Check a slot's options.

    Raises:
        OptionError: an unknown option, a wrong type or a value out of its range.
    """
    settings = read_options(PadSettings, options)
    for holds, rule in (
        (settings.path, "path is the pad's serial port"),
        (settings.baud > 0, "baud is positive"),
        (settings.parity in ("N", "E", "O"), "parity is N, E or O"),
        (settings.expand in ("hex", "raw"), "expand is hex or raw"),
        (0 < settings.reply_s_max <= 10, "reply_s_max lies between 0 and 10"),
        (0 <= settings.block_s <= 1, "block_s lies between 0 and 1"),
        (1 <= settings.tries <= 5, "tries lies between 1 and 5"),
        (1 <= settings.heartbeat_s <= 600, "heartbeat_s lies between 1 and 600"),
        (settings.mac_algorithm in MAC_ALGORITHMS, f"mac_algorithm is one of {', '.join(MAC_ALGORITHMS)}"),
        (settings.component_digits in (16, 32, 48), "component_digits is 16, 32 or 48"),
        (len(settings.component_letters) <= 20, "component_letters has at most 20 characters"),
        (10 <= settings.component_s_max <= 900, "component_s_max lies between 10 and 900"),
        (settings.pin_master in range(16) and settings.pin_slot in range(4), "pin_master is 0 to 15, pin_slot 0 to 3"),
    ):
        if not holds:
            raise OptionError(rule)
    return settings
