"""Puloon LCDM-1000: a note dispenser with one cassette. Bytes in, values out.

Command ``04 50 02 CMD data 03 BCC``, answer ``01 50 02 CMD data 03 BCC``; BCC is the XOR of everything before it. Each
side confirms a frame with one byte, ACK 06 or NAK 15. Source: LCDM-1000T interface specification 3.3.
"""

from dataclasses import dataclass

from drivers.cash_module.unreadable import Unreadable
from drivers.framing import bcc

ACK, NAK = 0x06, 0x15
EOT, SOH, IDENT, STX, ETX = 0x04, 0x01, 0x50, 0x02, 0x03
FRAME_BYTES_MAX = 64
NOTES_PER_DISPENSE_MAX = 60
GOOD, NORMAL_STOP = 0x30, 0x31
PURGE, DISPENSE, STATUS, VERSION = 0x44, 0x45, 0x46, 0x47

ERRORS: dict[int, str] = {
    0x32: "pickup_failed", 0x33: "jam_at_check", 0x34: "overflow", 0x35: "jam_at_exit", 0x36: "jam_at_diverter",
    0x37: "undefined_command", 0x38: "cassette_empty", 0x3B: "note_request", 0x3C: "count_diverter_eject",
    0x3D: "count_eject_exit", 0x3F: "reject_box_missing", 0x41: "motor", 0x42: "jam_at_diverter",
    0x43: "time_out_diverter_eject", 0x44: "too_many_rejected", 0x45: "cassette_missing", 0x47: "dispense_time_out",
    0x49: "diverter_solenoid", 0x4A: "solenoid_sensor", 0x4E: "jam_while_purging",
}  # fmt: skip
PASSING = frozenset({0x38})  # nothing is stuck: it only has no notes


@dataclass(frozen=True)
class Heard:
    """The one byte that confirms our frame, or refuses it."""

    good: bool


@dataclass(frozen=True)
class Reply:
    command: int
    body: bytes


@dataclass(frozen=True)
class Damaged:
    """Began like an answer and was none: worth a NAK."""


Event = Heard | Reply | Damaged


def frame(command: int, body: bytes = b"") -> bytes:
    text = bytes((EOT, IDENT, STX, command)) + body + bytes((ETX,))
    return text + bytes((bcc(text),))


def dispense(count: int) -> bytes:
    """Raises ValueError: not 1 to 60 notes."""
    if not 1 <= count <= NOTES_PER_DISPENSE_MAX:
        raise ValueError("1 to 60 notes at a time")
    return frame(DISPENSE, f"{count:02d}".encode("ascii"))


class Decoder:
    """Bytes of the line into events. Holds back at most one frame; noise between frames is skipped."""

    def __init__(self) -> None:
        self._candidate = bytearray()

    def receive(self, chunk: bytes) -> list[Event]:
        found: list[Event] = []
        for value in chunk:
            self._take(value, found)
        return found

    def give_up(self) -> list[Event]:
        """The line paused inside a frame."""
        begun = len(self._candidate) > 1
        self._candidate.clear()
        return [Damaged()] if begun else []

    def _take(self, value: int, found: list[Event]) -> None:
        frame_so_far = self._candidate
        if not frame_so_far and value in (ACK, NAK):
            found.append(Heard(value == ACK))
        elif frame_so_far or value == SOH:
            frame_so_far.append(value)
            self._judge(found)

    def _judge(self, found: list[Event]) -> None:
        text = bytes(self._candidate)
        if text[:3] != bytes((SOH, IDENT, STX))[: len(text)]:
            self._candidate = bytearray(text[-1:] if text[-1] == SOH else b"")
        elif len(text) >= 6 and text[-2] == ETX:
            whole = bcc(text) == 0
            found.append(Reply(text[3], text[4:-2]) if whole else Damaged())
            self._candidate.clear()
        elif len(text) >= FRAME_BYTES_MAX:
            found.append(Damaged())
            self._candidate.clear()


@dataclass(frozen=True)
class Counts:
    """What a dispense did. ``error`` is empty where all went well."""

    checked: int  # left the cassette
    exited: int  # passed the exit sensor: paid
    rejected: int
    error: str
    near_end: bool

    @property
    def unaccounted(self) -> int:
        """Between the cassette and the exit, and not in the reject box."""
        return self.checked - self.exited - self.rejected


def counts(reply: Reply) -> Counts:
    """Layout: CHK tens units, EXIT tens units, error, cassette, rejected tens units."""
    body = reply.body
    digits = body[:4] + body[6:8]
    if len(body) != 8 or not digits.isdigit():
        raise Unreadable("counts")
    return Counts(int(body[:2]), int(body[2:4]), int(body[6:8]), error_word(body[4]), body[5] == 0x31)


def status_error(reply: Reply) -> str:
    """What STATUS or PURGE complains about, or nothing."""
    body = reply.body
    if reply.command == STATUS and len(body) == 4:
        return error_word(body[1])
    if reply.command == PURGE and len(body) == 1:
        return error_word(body[0])
    raise Unreadable("status")


def error_word(code: int) -> str:
    return "" if code in (GOOD, NORMAL_STOP) else ERRORS.get(code, f"error_{code:02x}")
