"""CCNET of CashCode (CPI): bill validators at address 03, Bill-to-Bill recyclers at address 01. Bytes in, values out.

Frame: ``02 | ADR | LNG | body (0 to 250) | CRC16 low, high``; LNG counts the whole frame. The host asks, the device
answers; the host confirms an answer that carries a body with ACK, except its ACK and ILLEGAL. Extended frames
(LNG 0) are not needed by any command here and are dropped. Source: CCNET protocol description, document 1, revision
2.6.0.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from itertools import pairwise

from drivers.cash_module.crc import crc16_kermit
from drivers.cash_module.unreadable import Unreadable
from drivers.framing import MORE, NOT_A_FRAME, STX, Assembler, Framed

VALIDATOR, BILL_TO_BILL = 0x03, 0x01
ACK, NAK, ILLEGAL = 0x00, 0xFF, 0x30
FRAME_BYTES_MAX = 255
OVERHEAD = 5
TYPES = 24
BILL_ENTRY_BYTES = 5
ESCROW_CASSETTE, UNASSIGNED = 0x18, 0x1F
NOTES_PER_DISPENSE_MAX = 20


class Code(IntEnum):
    """First byte of the device's answer to POLL."""

    POWER_UP = 0x10
    POWER_UP_BILL_IN_VALIDATOR = 0x11
    POWER_UP_BILL_IN_STACKER = 0x12
    INITIALIZE = 0x13
    IDLING = 0x14
    ACCEPTING = 0x15
    STACKING = 0x17
    RETURNING = 0x18
    DISABLED = 0x19
    HOLDING = 0x1A
    BUSY = 0x1B
    REJECTING = 0x1C
    DISPENSING = 0x1D
    UNLOADING = 0x1E
    SETTING_CASSETTE = 0x21
    DISPENSED = 0x25
    UNLOADED = 0x26
    INVALID_BILL = 0x28
    CASSETTE_SET = 0x29
    CASSETTE_FULL = 0x41
    CASSETTE_REMOVED = 0x42
    JAM_IN_ACCEPTOR = 0x43
    JAM_IN_STACKER = 0x44
    CHEATED = 0x45
    PAUSE = 0x46
    FAILURE = 0x47
    JAM = 0x48  # Bill-to-Bill
    ESCROW = 0x80
    STACKED = 0x81
    RETURNED = 0x82
    WAITING = 0x83
    SUSPECT = 0x84
    COUNTERFEIT_HELD = 0x90


POWER_UPS = frozenset({Code.POWER_UP, Code.POWER_UP_BILL_IN_VALIDATOR, Code.POWER_UP_BILL_IN_STACKER})
# Repeated by the device until it gets our ACK (revision 2.6.0, notes to the poll table).
REPEATED_UNTIL_ACK = frozenset({Code.DISPENSED, Code.UNLOADED, Code.CHEATED, Code.STACKED, Code.RETURNED})
IN_ESCROW = frozenset({Code.ESCROW, Code.WAITING, Code.HOLDING})
AT_REST = frozenset({Code.IDLING, Code.DISABLED})
TROUBLES: dict[int, tuple[str, str]] = {  # code -> reason, who must come
    Code.CASSETTE_FULL: ("cash_box_full", "staff"),
    Code.CASSETTE_REMOVED: ("cash_box_removed", "alarm"),
    Code.JAM_IN_ACCEPTOR: ("jam_in_acceptor", "staff"),
    Code.JAM_IN_STACKER: ("jam_in_stacker", "staff"),
    Code.CHEATED: ("cheated", "alarm"),
    Code.PAUSE: ("two_notes", "nobody"),
    Code.FAILURE: ("device_failure", "staff"),
    Code.JAM: ("jam", "staff"),
    Code.SUSPECT: ("suspect_held", "staff"),
    Code.COUNTERFEIT_HELD: ("counterfeit_held", "alarm"),
}
REJECTIONS: dict[int, str] = {
    0x60: "insertion", 0x61: "magnetic", 0x62: "note_left_in_head", 0x63: "multiplying", 0x64: "conveying",
    0x65: "identification", 0x66: "verification", 0x67: "optic", 0x68: "inhibited", 0x69: "capacitance",
    0x6A: "operation", 0x6C: "length", 0x6D: "ultraviolet", 0x92: "barcode", 0x93: "barcode", 0x94: "barcode",
    0x95: "barcode",
}  # fmt: skip
RETRACT_FAILURE = 0xCA
CASSETTES_FAILURE = 0x54  # "initial cassette status"


@dataclass(frozen=True)
class Reply:
    """What the device answered: first byte and the rest."""

    body: bytes

    @property
    def code(self) -> int:
        return self.body[0]

    @property
    def detail(self) -> bytes:
        return self.body[1:]


@dataclass(frozen=True)
class Foreign:
    """A whole frame of another address: some other unit on this line, or the wrong address in the settings."""

    address: int


@dataclass(frozen=True)
class Damaged:
    """Began like a frame and was none: worth a NAK."""


Frame = Reply | Foreign | Damaged


def frame(address: int, body: bytes) -> bytes:
    """Raises ValueError: nothing, or more than 250 bytes."""
    if not 0 < len(body) <= FRAME_BYTES_MAX - OVERHEAD:
        raise ValueError("a body holds 1 to 250 bytes")
    head = bytes((STX, address, len(body) + OVERHEAD)) + body
    return head + crc16_kermit(head).to_bytes(2, "little")


def _judge(candidate: bytes) -> int:
    if len(candidate) < 3:
        return MORE
    size = candidate[2]
    if size <= OVERHEAD or candidate[1] > 0x0E:
        return NOT_A_FRAME
    if len(candidate) < size:
        return MORE
    whole = crc16_kermit(candidate[:-2]) == int.from_bytes(candidate[-2:], "little")
    return size if whole else NOT_A_FRAME


class Decoder:
    """Bytes of the line into frames. Holds back at most one frame."""

    def __init__(self, address: int) -> None:
        self._address = address
        self._damaged = False
        self._assembler = Assembler(self._judged, FRAME_BYTES_MAX)

    def receive(self, chunk: bytes) -> list[Frame]:
        found = [self._sorted(piece.body) for piece in self._assembler.receive(chunk) if isinstance(piece, Framed)]
        return self._with_damage(found)

    def give_up(self) -> list[Frame]:
        """The line paused inside a frame."""
        self._damaged = self._damaged or self._assembler.in_frame
        found = [self._sorted(piece.body) for piece in self._assembler.give_up() if isinstance(piece, Framed)]
        return self._with_damage(found)

    def _judged(self, candidate: bytes) -> int:
        verdict = _judge(candidate)
        self._damaged = self._damaged or verdict == NOT_A_FRAME
        return verdict

    def _sorted(self, body: bytes) -> Frame:
        return Reply(body[3:-2]) if body[1] == self._address else Foreign(body[1])

    def _with_damage(self, found: list[Frame]) -> list[Frame]:
        """Damage counts only where nothing whole came of it."""
        damaged, self._damaged = self._damaged and not found, False
        return [Damaged()] if damaged else found


class Answer(Enum):
    """What a command is answered with: a bare ACK, a body confirmed at once, or a body confirmed when booked."""

    ACK = auto()
    BODY = auto()
    TOLD = auto()


@dataclass(frozen=True)
class Command:
    """``repeatable``: saying it twice does what saying it once does."""

    body: bytes
    answer: Answer = Answer.ACK
    repeatable: bool = True
    reply_s_max: float = 0.3  # the manual's 10 ms, and what operating systems and USB adapters add


POLL = Command(b"\x33", Answer.TOLD)
RESET = Command(b"\x30")
STACK = Command(b"\x35", repeatable=False)
RETURN = Command(b"\x36", repeatable=False)
HOLD = Command(b"\x38")
IDENTIFY = Command(b"\x37", Answer.BODY)
IDENTIFY_EXTENDED = Command(b"\x3e", Answer.BODY, reply_s_max=2.0)
BILL_TABLE = Command(b"\x41", Answer.BODY)
STACKED_COUNTER = Command(b"\x5b", Answer.BODY)
CASSETTE_STATUS = Command(b"\x3b", Answer.BODY, reply_s_max=0.5)
POWER_RECOVERY = Command(b"\x66", Answer.TOLD, reply_s_max=2.0)
EMPTY_DISPENSER = Command(b"\x67", repeatable=False)


def enable(types: set[int] | frozenset[int]) -> Command:
    """Accept these types, all by way of escrow; none = disable. Raises ValueError: a type beyond 23."""
    mask = _mask(types)
    return Command(b"\x34" + mask + mask)


def escrow_time_outs(milliseconds: int) -> Command:
    return Command(b"\x5a" + milliseconds.to_bytes(4, "big") * 2)


def dispense(notes: dict[int, int]) -> Command:
    """Type -> count. Raises ValueError: no note, or more than 20."""
    if not 0 < sum(notes.values()) <= NOTES_PER_DISPENSE_MAX or min(notes.values()) < 1:
        raise ValueError("1 to 20 notes at a time")
    return Command(b"\x3c" + bytes(part for pair in notes.items() for part in pair), repeatable=False)


def _mask(types: set[int] | frozenset[int]) -> bytes:
    if any(not 0 <= number < TYPES for number in types):
        raise ValueError("bill types are 0 to 23")
    return sum(1 << number for number in types).to_bytes(3, "big")


def identification(reply: Reply) -> tuple[str, str]:
    """Part and serial number. A Bill-to-Bill unit puts more behind them."""
    if len(reply.body) < 27:
        raise Unreadable("identification")
    text = reply.body[:27].decode("ascii", "replace")
    return text[:15].strip(), text[15:27].strip()


def bill_table(reply: Reply, country: str) -> dict[int, int]:
    """Type -> value in the currency's main unit, for this country. Fractions of a unit are left out."""
    if len(reply.body) != TYPES * BILL_ENTRY_BYTES:
        raise Unreadable("bill table")
    found: dict[int, int] = {}
    for number in range(TYPES):
        mantissa, *letters, exponent = reply.body[number * 5 : number * 5 + 5]
        fraction = bool(exponent & 0x80)
        if mantissa and not fraction and exponent <= 9 and bytes(letters) == country.encode("ascii"):
            found[number] = mantissa * 10**exponent
    return found


def counter(reply: Reply) -> int:
    if len(reply.body) != 2:
        raise Unreadable("counter")
    return int.from_bytes(reply.body, "big")


@dataclass(frozen=True)
class Cassette:
    """``bill_type``: 0 to 23, or None for the escrow cassette and an unassigned one."""

    number: int  # from 1
    full: bool
    bill_type: int | None
    count: int


def cassettes(reply: Reply) -> list[Cassette]:
    """Those that are there."""
    if len(reply.body) % 2:
        raise Unreadable("cassette status")
    found: list[Cassette] = []
    for number, (state, count) in enumerate(_words(reply.body), 1):
        if state & 0x80:
            kind = state & 0x1F
            found.append(Cassette(number, bool(state & 0x40), kind if kind < TYPES else None, count))
    return found


@dataclass(frozen=True)
class Clean:
    """Nothing was under way."""


@dataclass(frozen=True)
class Packed:
    """Notes to credit: (type, destination 0 for the drop cassette or a cassette's number)."""

    notes: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class CutWhileDispensing:
    """(type or 24 for the escrow cassette, count) asked for, and really moved out of the cassettes."""

    asked: tuple[tuple[int, int], ...]
    moved: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class CutWhileUnloading:
    cassette: int
    asked: int


Interrupted = Clean | Packed | CutWhileDispensing | CutWhileUnloading


def power_recovery(reply: Reply) -> Interrupted:
    """What was cut off (sections 7.9 to 7.11)."""
    words = _words(reply.detail)
    if len(reply.detail) % 2:
        raise Unreadable("power recovery")
    if reply.code == 0x00 and not words:
        return Clean()
    if reply.code == 0x17:
        return Packed(tuple(words))
    if reply.code == 0x3C:
        asked = tuple((kind & 0x7F, count) for kind, count in words if kind & 0x80)
        return CutWhileDispensing(asked, tuple((kind, count) for kind, count in words if not kind & 0x80))
    if reply.code == 0x3D and words:
        return CutWhileUnloading(*words[0])
    raise Unreadable("power recovery")


def _words(body: bytes) -> list[tuple[int, int]]:
    return [pair for index, pair in enumerate(pairwise(body)) if index % 2 == 0]
