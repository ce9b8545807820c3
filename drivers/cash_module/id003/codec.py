"""ID-003 of JCM: bill validators. Bytes in, values out.

Frame: ``FC | LNG | code and data | CRC16 low, high``; LNG counts the whole frame, the check sum begins with FC. The
host asks, the device answers: commands to do something by ACK (50), settings by themselves, STATUS (11) by the state.
Source: protocol description ID03-001 revision 05.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum, auto

from drivers.cash_module.crc import crc16_kermit
from drivers.cash_module.unreadable import Unreadable

SYNC = 0xFC
FRAME_BYTES_MAX = 255
OVERHEAD = 4
ACK, INVALID = 0x50, 0x4B
FIRST_ESCROW_CODE = 0x61
CURRENCY_ENTRY_BYTES = 4


class Code(IntEnum):
    """First byte of the device's answer to STATUS."""

    IDLE = 0x11
    ACCEPTING = 0x12
    ESCROW = 0x13
    STACKING = 0x14
    VEND_VALID = 0x15
    STACKED = 0x16
    REJECTING = 0x17
    RETURNING = 0x18
    HOLDING = 0x19
    DISABLED = 0x1A
    INITIALIZE = 0x1B
    POWER_UP = 0x40
    POWER_UP_BILL_IN_ACCEPTOR = 0x41
    POWER_UP_BILL_IN_STACKER = 0x42
    FULL = 0x43
    OPEN = 0x44
    JAM_IN_ACCEPTOR = 0x45
    JAM_IN_STACKER = 0x46
    PAUSE = 0x47
    CHEATED = 0x48
    FAILURE = 0x49
    COMMUNICATION_ERROR = 0x4A
    RECYCLER_ERROR = 0x4C


POWER_UPS = frozenset({Code.POWER_UP, Code.POWER_UP_BILL_IN_ACCEPTOR, Code.POWER_UP_BILL_IN_STACKER})
IN_ESCROW = frozenset({Code.ESCROW, Code.HOLDING})
AT_REST = frozenset({Code.IDLE, Code.DISABLED})
TROUBLES: dict[int, tuple[str, str]] = {  # code -> reason, who must come
    Code.FULL: ("cash_box_full", "staff"),
    Code.OPEN: ("cash_box_removed", "alarm"),
    Code.JAM_IN_ACCEPTOR: ("jam_in_acceptor", "staff"),
    Code.JAM_IN_STACKER: ("jam_in_stacker", "staff"),
    Code.PAUSE: ("two_notes", "nobody"),
    Code.CHEATED: ("cheated", "alarm"),
    Code.FAILURE: ("device_failure", "staff"),
    Code.COMMUNICATION_ERROR: ("communication_error", "nobody"),
    Code.RECYCLER_ERROR: ("recycler_error", "staff"),
}
REJECTIONS: dict[int, str] = {
    0x71: "insertion", 0x72: "magnetic", 0x73: "note_left_in_head", 0x74: "multiplying", 0x75: "conveying",
    0x76: "identification", 0x77: "pattern", 0x78: "level", 0x79: "inhibited", 0x7A: "operation", 0x7C: "length",
    0x7D: "colour",
}  # fmt: skip


@dataclass(frozen=True)
class Reply:
    body: bytes

    @property
    def code(self) -> int:
        return self.body[0]

    @property
    def detail(self) -> bytes:
        return self.body[1:]


@dataclass(frozen=True)
class Damaged:
    """Began like a frame and was none."""


Frame = Reply | Damaged


def frame(body: bytes) -> bytes:
    """Raises ValueError: nothing, or too much for one frame."""
    if not 0 < len(body) <= FRAME_BYTES_MAX - OVERHEAD:
        raise ValueError("a body holds 1 to 251 bytes")
    head = bytes((SYNC, len(body) + OVERHEAD)) + body
    return head + crc16_kermit(head).to_bytes(2, "little")


class Decoder:
    """Bytes of the line into frames. Holds back at most one; ENQ and noise between frames are skipped."""

    def __init__(self) -> None:
        self._text = bytearray()

    def receive(self, chunk: bytes) -> list[Frame]:
        self._text += chunk
        return self._cut()

    def give_up(self) -> list[Frame]:
        """The line paused inside a frame: that SYNC was false, so look again at what followed it."""
        found: list[Frame] = [Damaged()] if self._text else []
        while self._text:
            del self._text[0]
            found += self._cut()
        return found

    def _cut(self) -> list[Frame]:
        found: list[Frame] = []
        while (start := self._text.find(SYNC)) >= 0:
            del self._text[:start]
            size = self._text[1] if len(self._text) > 1 else FRAME_BYTES_MAX
            if size > OVERHEAD and len(self._text) < size:
                return found
            found.append(self._judged(size))
        self._text.clear()
        return found

    def _judged(self, size: int) -> Frame:
        text = bytes(self._text[:size])
        if size > OVERHEAD and crc16_kermit(text[:-2]) == int.from_bytes(text[-2:], "little"):
            del self._text[:size]
            return Reply(text[2:-2])
        del self._text[0]
        return Damaged()


class Answer(Enum):
    """What a command is answered with: ACK, itself with its data, or a body of its own."""

    ACK = auto()
    ITSELF = auto()
    BODY = auto()


@dataclass(frozen=True)
class Command:
    """``repeatable``: saying it twice does what saying it once does."""

    body: bytes
    answer: Answer = Answer.BODY
    repeatable: bool = True


STATUS = Command(b"\x11")
RESET = Command(b"\x40", Answer.ACK)
STACK = Command(b"\x41", Answer.ACK, repeatable=False)  # STACK-1: VEND VALID once the note cannot be pulled back
RETURN = Command(b"\x43", Answer.ACK, repeatable=False)
HOLD = Command(b"\x44", Answer.ACK)
VERSION = Command(b"\x88")
CURRENCY = Command(b"\x8a")
INHIBIT = Command(b"\xc3\x01", Answer.ITSELF)
ACCEPT = Command(b"\xc3\x00", Answer.ITSELF)
POWER_RECOVERY = Command(b"\xc5\x02\x00", Answer.ITSELF)


def enable(codes: frozenset[int]) -> Command:
    """Escrow codes that are accepted; a set bit disables. Raises ValueError: a code beyond 61 to 70 hex."""
    if any(not 0 <= code - FIRST_ESCROW_CODE < 16 for code in codes):
        raise ValueError("escrow codes are 61 to 70")
    taken = sum(1 << (code - FIRST_ESCROW_CODE) for code in codes)
    return Command(b"\xc0" + (0xFFFF ^ taken).to_bytes(2, "little"), Answer.ITSELF)


def currency_table(reply: Reply, country: int) -> dict[int, int]:
    """Escrow code -> value in the main unit, for this country (negative: any). Raises Unreadable."""
    body = reply.detail
    if reply.code != CURRENCY.body[0] or len(body) % CURRENCY_ENTRY_BYTES:
        raise Unreadable("currency table")
    found: dict[int, int] = {}
    for at in range(0, len(body), CURRENCY_ENTRY_BYTES):
        code, place, mantissa, exponent = body[at : at + CURRENCY_ENTRY_BYTES]
        if mantissa and exponent <= 9 and (country < 0 or place == country):
            found[code] = mantissa * 10**exponent
    return found
