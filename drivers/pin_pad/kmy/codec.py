"""Commands and replies of the KMY family of PIN pads as bytes; no IO, no clock.

A command is ``02 | Ln | CMD | DATA | BCC [| 03]``, a reply ``02 | Ln | ST | DATA | BCC [| 03]``: Ln counts CMD or ST
and DATA, BCC is the XOR of Ln to DATA. Many models send everything between 02 and 03 as two hex characters a byte,
others raw; the closing 03 is optional: four framings. Key presses come as single bytes *outside* frames.
Source: vendors' command descriptions as collected in docs/devices/pin_pad_kmy.md, which also lists what is INVENTED.

Command 32 (load a clear master key) does not exist here: no clear key passes through a terminal (pins-and-keys 8).
Commands 23 and 24 only say where a key goes that people type at the pad.
Nothing here shows the content of a frame: ``repr`` of commands, replies and keys leaves it out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from drivers.framing import (
    ETX,
    HEX_DIGITS,
    MORE,
    NOT_A_FRAME,
    STX,
    Assembler,
    Framed,
    Piece,
    bcc,
    expand_hex,
    join_hex,
)

COMMANDS = frozenset((0x23, 0x24, 0x30, 0x31, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x41, 0x42, 0x43, 0x45, 0x46))
CHECK_VALUE_BYTES = 4
CIPHER_BYTES_MAX = 248  # command 37
MAC_BYTES_MIN, MAC_BYTES_MAX = 5, 247  # command 41
FRAME_BYTES_MAX = 2 + 2 * (1 + 255 + 1)  # hex-expanded


class Keypad(IntEnum):
    """Argument of command 45. What ON reports and that the mode can be asked is INVENTED."""

    OFF = 0x00
    ON = 0x01
    SILENT = 0x02
    PLAIN = 0x03  # PIN entry reports digits in clear: pins-and-keys mode B only
    ASK = 0x3F


class Key(IntEnum):
    """Bytes outside frames that are not digits. Function keys are 41 to 48."""

    STAR = 0x2A  # a digit of a PIN, which one is not told
    ENTER = 0x0D
    CLEAR = 0x08
    CANCEL = 0x1B
    TIMED_OUT = 0x80
    POINT = 0x2E
    DOUBLE_ZERO = 0x7F


DIGITS = frozenset(b"0123456789")
FUNCTION_KEYS = range(0x41, 0x49)
KEY_BYTES = DIGITS | frozenset(Key) | frozenset(FUNCTION_KEYS)


class Parameter(IntEnum):
    """First byte of command 46. That the MAC algorithm is number 06 is INVENTED: the sources only say "a further"."""

    KEY_LOADING = 0x00
    WORKING = 0x01
    AUTO_ENTER = 0x05
    MAC_ALGORITHM = 0x06


TRIPLE_DES, TRIPLE_DES_MASTER = 0x30, 0x70  # the second works with the master key itself
MAC_ALGORITHMS = {"x9.9": 0x01, "sam": 0x02, "unionpay": 0x03}

# Statuses that mean "done".
OK = 0x04
WARNINGS = {0xA4: "master_key_invalid", 0xC4: "battery_low"}
# Statuses after which the pad is out of service.
FAULTS = {
    0xB5: "master_key_invalid",
    0xD5: "battery_dead",
    0xF0: "self_test_cpu",
    0xF1: "self_test_memory",
    0xF2: "key_stuck",
    0xF3: "self_test_serial",
    0xF4: "self_test_cpu_card",
    0xF5: "battery_dead",
    0xF6: "master_key_lost",
    0xF7: "self_test_other",
}
UNKNOWN_COMMAND = 0xE0
REFUSALS = {0x15: "bad_parameter", 0x80: "timed_out", UNKNOWN_COMMAND: "unknown_command"}


@dataclass(frozen=True)
class Framing:
    """Which of the four framings a pad speaks."""

    expand: bool = True
    etx: bool = True

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> "Framing":
        """From a driver's settings: ``expand = "hex" | "raw"``, ``etx = true | false``.

        Raises:
            ValueError: another value.
        """
        expand, etx = options.get("expand", "hex"), options.get("etx", True)
        if expand not in ("hex", "raw") or not isinstance(etx, bool):
            raise ValueError('expand is "hex" or "raw", etx is true or false')
        return cls(expand == "hex", etx)

    def options(self) -> dict[str, str | bool]:
        """The inverse of ``from_options``; fits into JSON."""
        return {"expand": "hex" if self.expand else "raw", "etx": self.etx}


@dataclass(frozen=True)
class Command:
    """``reply_sizes``: how many bytes of data a good reply carries, from and to. ``blocks``: cipher steps it costs.

    ``repeatable``: sending it again after silence does no harm. START PIN is not: it drops digits that were typed. Nor
    is what closes the pad's encryption state with its reply, except reading the PIN block: once more gets it or "no".
    """

    code: int
    data: bytes = field(default=b"", repr=False)
    reply_sizes: tuple[int, int] = (0, 0)
    blocks: int = 0
    repeatable: bool = True
    person_s: float = 0.0


def identify() -> Command:
    """Version (16 ASCII), serial (8), charge (2)."""
    return Command(0x30, reply_sizes=(24, 26))


def reset() -> Command:
    """Self-test; keys are kept."""
    return Command(0x31)


def load_work_key(master: int, slot: int, cryptogram: bytes) -> Command:
    """Load a key (8, 16 or 24 bytes, ECB-encrypted under ``master``) in verify mode: the reply is its check value.

    Verify mode numbers the slots through: 40h + 4 * master + slot.
    """
    _check(master in range(16) and slot in range(4) and len(cryptogram) in (8, 16, 24), 0x33)
    number = 0x40 + 4 * master + slot
    return Command(0x33, bytes((master, number)) + cryptogram, (4, 4), len(cryptogram) // 8 + 1)


def type_component(master: int, slot: int | None, person_s: float) -> Command:
    """The pad asks at its own keys for the next part of master key ``master`` (23), or of the working key ``slot``
    under it (24, in verify mode as command 33). The reply comes when the part is in.

    INVENTED: it begins with how many parts are in; after the last of a working key its check value follows.
    """
    _check(master in range(16) and slot in (None, 0, 1, 2, 3), 0x23)
    if slot is None:
        return Command(0x23, bytes((master,)), (1, 1), repeatable=False, person_s=person_s)
    data = bytes((master, 0x40 + 4 * master + slot))
    return Command(0x24, data, (1, 1 + CHECK_VALUE_BYTES), repeatable=False, person_s=person_s)


def encrypt_zeros() -> Command:
    """Eight zeros under the active key, for its check value. Nothing else is ever given to command 36."""
    return Command(0x36, bytes(8), (8, 8), 1, repeatable=False)


def account(pan12: str) -> Command:
    """The twelve rightmost digits of the PAN without the check digit."""
    _check(len(pan12) == 12 and pan12.isascii() and pan12.isdigit(), 0x34)
    return Command(0x34, pan12.encode("ascii"))


def start_pin(digits_max: int, timeout_s: int, with_account: bool) -> Command:
    """Begin PIN entry: show stars, no prompt text; ``timeout_s`` 1 to 255."""
    _check(4 <= digits_max <= 12 and 1 <= timeout_s <= 255, 0x35)
    data = bytes((digits_max, 0x01, 0x01 if with_account else 0x02, 0x00, timeout_s))
    return Command(0x35, data, repeatable=False)


def decrypt(blocks: bytes) -> Command:
    """ECB under the active key, whole 8-byte blocks. Only sent to see that the pad refuses it (pins-and-keys 4)."""
    _check(0 < len(blocks) <= CIPHER_BYTES_MAX and len(blocks) % 8 == 0, 0x37)
    return Command(0x37, blocks, (len(blocks), len(blocks)), len(blocks) // 8, repeatable=False)


def read_serial() -> Command:
    return Command(0x38, reply_sizes=(1, 16))


def mac(message: bytes) -> Command:
    _check(MAC_BYTES_MIN <= len(message) <= MAC_BYTES_MAX, 0x41)
    return Command(0x41, message, (8, 8), -(-len(message) // 8) + 1, repeatable=False)


def read_pin_block() -> Command:
    return Command(0x42, reply_sizes=(8, 8), blocks=1)


def activate(master: int, slot: int) -> Command:
    _check(master in range(16) and slot in range(4), 0x43)
    return Command(0x43, bytes((master, slot)))


def keypad(mode: Keypad) -> Command:
    """Switch the keypad, or with ``Keypad.ASK`` read the mode back in one byte (INVENTED)."""
    return Command(0x45, bytes((mode,)), (1, 1) if mode is Keypad.ASK else (0, 0))


def parameter(which: Parameter, value: int) -> Command:
    return Command(0x46, bytes((which, value)))


def _check(holds: bool, code: int) -> None:
    if not holds:
        raise ValueError(f"argument of command {code:02X} out of range")  # never the argument itself


def encode(command: Command, framing: Framing) -> bytes:
    """The bytes of a command.

    Raises:
        ValueError: a command that a terminal must not send, or data that does not fit one frame.
    """
    if command.code not in COMMANDS:
        raise ValueError(f"command {command.code:02X} is not sent by terminals")
    _check(len(command.data) <= 254, command.code)
    body = bytes((1 + len(command.data), command.code)) + command.data
    checked = body + bytes((bcc(body),))
    return bytes((STX,)) + (expand_hex(checked) if framing.expand else checked) + (b"\x03" if framing.etx else b"")


@dataclass(frozen=True)
class Reply:
    status: int
    data: bytes = field(default=b"", repr=False)

    @property
    def ok(self) -> bool:
        return self.status == OK or self.status in WARNINGS

    def answers(self, command: Command) -> bool:
        """Whether this can be the reply to ``command``: the wire has no numbers, so sizes must tell a late one."""
        return not self.ok or command.reply_sizes[0] <= len(self.data) <= command.reply_sizes[1]


@dataclass(frozen=True)
class KeyByte:
    """One key press. In plain mode it is a digit of a PIN, so it is never shown."""

    value: int = field(repr=False)


Event = Reply | KeyByte


class Decoder:
    """Bytes from the pad to events. Noise is skipped; at most ``FRAME_BYTES_MAX`` bytes are held back."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._assembler = Assembler(self._judge, FRAME_BYTES_MAX)

    @property
    def in_frame(self) -> bool:
        return self._assembler.in_frame

    def give_up(self) -> list[Event]:
        """Give up a frame that began and stalled, after a gap that no pad leaves inside one: what was behind it."""
        return self._events(self._assembler.give_up())

    def receive(self, chunk: bytes | bytearray) -> list[Event]:
        return self._events(self._assembler.receive(chunk))

    def _events(self, pieces: list[Piece]) -> list[Event]:
        found = (self._event(piece) for piece in pieces)
        return [event for event in found if event is not None]

    def _event(self, piece: Piece) -> Event | None:
        if isinstance(piece, Framed):
            body = self._content(piece.body)
            return Reply(body[1], body[2:-1])
        return KeyByte(piece.value) if piece.value in KEY_BYTES else None

    def _content(self, frame: bytes) -> bytes:
        inner = frame[1:-1] if self._framing.etx else frame[1:]
        return join_hex(inner) if self._framing.expand else inner

    def _judge(self, frame: bytes) -> int:
        """See ``Assembler``: Ln tells the size, so only then are BCC and ETX looked at."""
        width = 2 if self._framing.expand else 1
        if self._framing.expand and len(frame) > 1 and not self._hex_so_far(frame):
            return NOT_A_FRAME
        if len(frame) < 1 + width:
            return MORE
        length = int(frame[1:3], 16) if self._framing.expand else frame[1]
        size = 1 + width * (length + 2) + self._framing.etx
        if length == 0:
            return NOT_A_FRAME
        return MORE if len(frame) < size else self._verdict(frame)

    def _hex_so_far(self, frame: bytes) -> bool:
        """Only the newest byte is looked at: the others were when they came."""
        if frame[-1] in HEX_DIGITS:
            return True
        return self._framing.etx and frame[-1] == ETX and len(frame) > 3 and len(frame) == 2 * int(frame[1:3], 16) + 6

    def _verdict(self, frame: bytes) -> int:
        if self._framing.etx and frame[-1] != ETX:
            return NOT_A_FRAME
        return len(frame) if bcc(self._content(frame)) == 0 else NOT_A_FRAME
