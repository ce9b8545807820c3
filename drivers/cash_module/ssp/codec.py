"""SSP of Innovative Technology: frames, sequence, events. Bytes in, values out.

Frame: ``7F | SEQ and address | LEN | data | CRC16 low, high``; inside, a byte 7F is doubled once the check sum is made.
SEQ toggles with each new command; a device that sees the same SEQ again repeats its answer and does nothing. Source:
protocol manual GA138. Value layouts are those of host protocol 6 and later: the driver sets the version explicitly.
"""

from dataclasses import dataclass
from enum import IntEnum

from drivers.cash_module.crc import crc16_ssp
from drivers.cash_module.unreadable import Unreadable

STX = 0x7F
DATA_BYTES_MAX = 255
SEQUENCE = 0x80

RESET, INHIBITS, SETUP, PROTOCOL, REJECT, DISABLE, ENABLE, SERIAL, SYNC = 1, 2, 5, 6, 8, 9, 0x0A, 0x0C, 0x11
LAST_REJECT, HOLD, LEVELS, ROUTE, PAY, EMPTY_PATH = 0x17, 0x18, 0x22, 0x3B, 0x46, 0x52
GENERATOR, MODULUS, EXCHANGE, POLL_WITH_ACK, EVENT_ACK, COUNTERS = 0x4A, 0x4B, 0x4C, 0x56, 0x57, 0x58
PAYOUT_OFF, PAYOUT_ON = 0x5B, 0x5C
OK, REFUSED, FAIL, NO_KEY = 0xF0, 0xF5, 0xF8, 0xFA
SMART_PAYOUT = 6
REAL = b"\x58"  # as opposed to a test of whether it could
REJECTIONS: dict[int, str] = {
    0: "accepted", 1: "length", 2: "average", 3: "coastline", 4: "graph", 5: "multiplying", 6: "channel_inhibited",
    7: "second_note", 8: "rejected_by_host", 9: "two_notes", 10: "length", 11: "conveying", 12: "width",
    13: "too_short", 14: "security", 20: "optic", 27: "escrow_time_out",
}  # fmt: skip


class Code(IntEnum):
    """First byte of an event in the answer to POLL WITH ACK."""

    RESET = 0xF1
    READ = 0xEF
    CREDIT = 0xEE
    REJECTING = 0xED
    REJECTED = 0xEC
    STACKED = 0xEB
    SAFE_JAM = 0xEA
    UNSAFE_JAM = 0xE9
    DISABLED = 0xE8
    BOX_FULL = 0xE7
    FRAUD = 0xE6
    BOX_BACK = 0xE4
    BOX_REMOVED = 0xE3
    CLEARED_TO_BOX = 0xE2
    CLEARED_FROM_FRONT = 0xE1
    INCOMPLETE_FLOAT = 0xDD
    INCOMPLETE = 0xDC
    STORED = 0xDB
    DISPENSING = 0xDA
    TIME_OUT = 0xD9
    FLOATED = 0xD8
    FLOATING = 0xD7
    HALTED = 0xD6
    JAMMED = 0xD5
    DISPENSED = 0xD2
    FULL = 0xCF
    IN_BEZEL = 0xCE
    DISPENSED_AT_POWER_UP = 0xCD
    STACKING = 0xCC
    STORED_AT_POWER_UP = 0xCB
    STACKED_AT_POWER_UP = 0xCA
    TO_STACKER = 0xC9
    PAYOUT_OUT_OF_SERVICE = 0xC6
    EMPTIED = 0xC3
    EMPTYING = 0xC2
    INITIALISING = 0xB6
    CHANNELS_OFF = 0xB5
    SMART_EMPTIED = 0xB4
    SMART_EMPTYING = 0xB3
    PAYOUT_ERROR = 0xB1
    JAM_RECOVERY = 0xB0


WITH_CHANNEL = frozenset(
    {Code.READ, Code.CREDIT, Code.FRAUD, Code.CLEARED_FROM_FRONT, Code.CLEARED_TO_BOX},
)
WITH_VALUES = frozenset(
    {
        Code.DISPENSING, Code.DISPENSED, Code.JAMMED, Code.HALTED, Code.FLOATING, Code.FLOATED, Code.TIME_OUT,
        Code.SMART_EMPTYING, Code.SMART_EMPTIED, Code.TO_STACKER, Code.STACKED_AT_POWER_UP,
        Code.STORED_AT_POWER_UP, Code.DISPENSED_AT_POWER_UP, Code.PAYOUT_ERROR,
    }
)  # fmt: skip
WITH_TWO_VALUES = frozenset({Code.INCOMPLETE, Code.INCOMPLETE_FLOAT})
# What the books must hold before EVENT ACK.
BOOKED = frozenset(
    {
        Code.CREDIT, Code.DISPENSED, Code.INCOMPLETE, Code.TIME_OUT, Code.HALTED, Code.STACKED_AT_POWER_UP,
        Code.STORED_AT_POWER_UP, Code.DISPENSED_AT_POWER_UP, Code.CLEARED_FROM_FRONT, Code.CLEARED_TO_BOX,
    }
)  # fmt: skip
PLACED = frozenset({Code.STORED, Code.STACKED})
MOVING = frozenset({Code.READ, Code.REJECTING, Code.STACKING, Code.INITIALISING, Code.DISPENSING, Code.JAM_RECOVERY})


@dataclass(frozen=True)
class Packet:
    sequence: bool
    address: int
    data: bytes


@dataclass(frozen=True)
class Damaged:
    """Began like a frame and was none."""


Frame = Packet | Damaged


def frame(data: bytes, *, sequence: bool, address: int = 0) -> bytes:
    """Raises ValueError: nothing, or more than 255 bytes."""
    if not 0 < len(data) <= DATA_BYTES_MAX:
        raise ValueError("1 to 255 bytes of data")
    text = bytes(((SEQUENCE if sequence else 0) | address, len(data))) + data
    text += crc16_ssp(text).to_bytes(2, "little")
    return bytes((STX,)) + text.replace(b"\x7f", b"\x7f\x7f")


class Decoder:
    """Bytes of the line into frames; an undoubled 7F always begins anew. Holds back at most one frame."""

    def __init__(self) -> None:
        self._text: bytearray | None = None  # of the frame that has begun
        self._doubling = False  # the last byte was a 7F whose meaning the next one decides

    def receive(self, chunk: bytes) -> list[Frame]:
        found: list[Frame] = []
        for value in chunk:
            self._take(value, found)
        return found

    def give_up(self) -> list[Frame]:
        begun, self._text, self._doubling = bool(self._text), None, False
        return [Damaged()] if begun else []

    def _take(self, value: int, found: list[Frame]) -> None:
        if value == STX and not self._doubling:
            self._doubling = True
            return
        if self._doubling and (value != STX or self._text is None):
            self._text = bytearray()
        self._doubling = False
        if self._text is not None and not (value == STX and len(self._text) == 0):
            self._text.append(value)
            self._judge(self._text, found)

    def _judge(self, text: bytearray, found: list[Frame]) -> None:
        if len(text) < 2 or len(text) < text[1] + 4:
            return
        whole = crc16_ssp(bytes(text[:-2])) == int.from_bytes(text[-2:], "little") and text[1] > 0
        self._text = None
        if whole:
            found.append(Packet(bool(text[0] & SEQUENCE), text[0] & 0x7F, bytes(text[2:-2])))
        else:
            found.append(Damaged())


@dataclass(frozen=True)
class Setup:
    unit_type: int
    firmware: str
    channels: tuple[tuple[str, int], ...]  # (currency, value in the minor unit), channel 1 first
    protocol: int


def setup(data: bytes) -> Setup:
    """The answer to SETUP REQUEST without its OK. Raises Unreadable."""
    count = data[11] if len(data) > 11 else 0
    fixed = 16 + 2 * count
    if not count or len(data) < fixed:
        raise Unreadable("setup")
    real = data[12 + 2 * count : 15 + 2 * count]
    # The manual's example has it low byte first, the vendor's samples high byte first; it is small either way.
    multiplier = min(int.from_bytes(real, "big"), int.from_bytes(real, "little"))
    protocol = data[15 + 2 * count]
    firmware, country = data[1:5].decode("ascii", "replace"), data[5:8].decode("ascii", "replace")
    channels = [(country, value * multiplier) for value in data[12 : 12 + count]]
    if protocol >= 6:
        if len(data) < fixed + 7 * count:
            raise Unreadable("setup")
        currencies = [data[fixed + 3 * n : fixed + 3 * n + 3].decode("ascii", "replace") for n in range(count)]
        values = [_u32(data, fixed + 3 * count + 4 * n) * multiplier for n in range(count)]
        channels = list(zip(currencies, values, strict=True))
    return Setup(data[0], firmware, tuple(channels), protocol)


@dataclass(frozen=True)
class Event:
    """``values``: (currency, value in the minor unit); of an incomplete payout (currency, paid, asked)."""

    code: int
    channel: int = 0
    values: tuple[tuple[str, int], ...] = ()
    asked: int = 0  # of an incomplete payout, in all currencies' minor units

    @property
    def total(self) -> int:
        return sum(value for _, value in self.values)


def events(data: bytes) -> list[Event]:
    """The answer to a poll without its OK. Raises Unreadable: an event of unknown layout hides those behind it."""
    found: list[Event] = []
    rest = data
    while rest:
        code, size = rest[0], _size(rest)
        if len(rest) < size:
            raise Unreadable("event cut short")
        found.append(_event(code, rest[1:size]))
        rest = rest[size:]
    return found


def _size(rest: bytes) -> int:
    code, count = rest[0], rest[1] if len(rest) > 1 else 0
    if code not in list(Code):
        raise Unreadable(f"event {code:02x}")
    if code in WITH_CHANNEL:
        return 2
    if code == Code.IN_BEZEL:
        return 8
    if code in WITH_VALUES:
        return 2 + 7 * count + (code == Code.PAYOUT_ERROR)
    return 2 + 11 * count if code in WITH_TWO_VALUES else 1


def _event(code: int, body: bytes) -> Event:
    if code in WITH_CHANNEL:
        return Event(code, channel=body[0])
    if code == Code.IN_BEZEL:  # one value, and no count before it
        return Event(code, values=((_currency(body, 4), _u32(body, 0)),))
    if code in WITH_VALUES:
        starts = range(1, 1 + 7 * body[0], 7)
        return Event(code, values=tuple((_currency(body, at + 4), _u32(body, at)) for at in starts))
    if code in WITH_TWO_VALUES:
        starts = range(1, 1 + 11 * body[0], 11)
        values = tuple((_currency(body, at + 8), _u32(body, at)) for at in starts)
        return Event(code, values=values, asked=sum(_u32(body, at + 4) for at in starts))
    return Event(code)


def levels(data: bytes) -> list[tuple[str, int, int]]:
    """(currency, value, notes) in the payout store. Raises Unreadable."""
    if not data or len(data) != 1 + 9 * data[0]:
        raise Unreadable("levels")
    starts = range(1, len(data), 9)
    return [(_currency(data, at + 6), _u32(data, at + 2), int.from_bytes(data[at : at + 2], "little")) for at in starts]


def stacked_counter(data: bytes) -> int:
    """Notes in the stacker since the unit was made (first of the five counters). Raises Unreadable."""
    if len(data) < 5:
        raise Unreadable("counters")
    return _u32(data, 1)


def pay(notes: tuple[tuple[int, int], ...], currency: str) -> bytes:
    """PAYOUT BY DENOMINATION: (value, count)."""
    body = b"".join(count.to_bytes(2, "little") + _valued(value, currency) for value, count in notes)
    return bytes((PAY, len(notes))) + body + REAL


def route(value: int, currency: str, *, to_store: bool) -> bytes:
    return bytes((ROUTE, 0 if to_store else 1)) + _valued(value, currency)


def inhibits(channels: frozenset[int]) -> bytes:
    """Channels from 1 that are accepted."""
    return bytes((INHIBITS,)) + sum(1 << (number - 1) for number in channels).to_bytes(2, "little")


def _valued(value: int, currency: str) -> bytes:
    return value.to_bytes(4, "little") + currency.encode("ascii")


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _currency(data: bytes, at: int) -> str:
    return data[at : at + 3].decode("ascii", "replace")
