"""What a settings file may say about a KMY pad."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from drivers.pin_pad.kmy.codec import Framing


class PadSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Options of the driver ``kmy``; docs/devices/pin_pad_kmy.md explains each."""

    path: str
    baud: int = 9600
    parity: Literal["N", "E", "O"] = "N"
    expand: Literal["hex", "raw"] = "hex"
    etx: bool = True
    reply_s_max: float = 1.0  # beside the time on the wire and in the cipher
    block_s: float = 0.075  # one 3DES step in the pad; 0.025 for single DES
    tries: int = 3  # of commands that may be repeated
    heartbeat_s: float = 20.0
    mac_algorithm: Literal["x9.9", "sam", "unionpay"] = "x9.9"
    pin_master: int = 0  # where the PIN key is, for the proof that the pad does not decrypt with it
    pin_slot: int = 0
    mode_readback: bool = True  # whether the pad answers 45 3F; without it the line is never lent
    refuse_simulator: bool = False

    @property
    def framing(self) -> Framing:
        return Framing(self.expand == "hex", self.etx)


def read_settings(options: Mapping[str, object]) -> PadSettings:
    """Check a slot's options.

    Raises:
        ValueError: an unknown option, a wrong type or a value out of its range.
    """
    settings = msgspec.convert(dict(options), PadSettings)
    for holds, rule in (
        (settings.baud > 0, "baud is positive"),
        (0 < settings.reply_s_max <= 10, "reply_s_max lies between 0 and 10"),
        (1 <= settings.tries <= 5, "tries lies between 1 and 5"),
        (settings.heartbeat_s >= 1, "heartbeat_s is at least 1"),
        (settings.pin_master in range(16) and settings.pin_slot in range(4), "pin_master is 0 to 15, pin_slot 0 to 3"),
    ):
        if not holds:
            raise ValueError(rule)
    return settings
