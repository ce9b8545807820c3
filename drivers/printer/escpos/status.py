"""Reading what an ESC/POS printer answers. Sans-IO, bounded, indifferent to how the stream is split.

A reply to DLE EOT has bits 1 and 4 set, 0 and 7 clear, so ``byte & 0x93 == 0x12`` tells it from junk, from XON (11)
and from XOFF (13). An automatic status (ASB) is four bytes, the first with ``& 0x93 == 0x10``. The answer to GS r 1
is 00, 03, 0C or 0F. The full status of kiosk printers (DLE EOT 20) is 10 0F and four bytes. Sources: Epson ESC/POS
reference; Bixolon, Cashino and Dascom manuals; for the full status those of Custom (KPM150H, KPM300) and of Pyramid
(Reliance).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Status:
    """Reply to DLE EOT n. The byte does not say which n was asked: ask one at a time."""

    value: int


@dataclass(frozen=True)
class Fence:
    """Reply to GS r 1: all earlier bytes were processed."""

    paper_out: bool
    paper_low: bool


@dataclass(frozen=True)
class ProcessDone:
    """Reply to GS ( H: everything up to this process id was printed. ``digits`` is four bytes."""

    digits: bytes


@dataclass(frozen=True)
class AutoStatus:
    """Four bytes sent unasked at a change."""

    value: bytes


@dataclass(frozen=True)
class FullStatus:
    """Reply to DLE EOT 20: bytes for paper, user, what recovers and what does not."""

    value: bytes

    @property
    def paper_waiting(self) -> bool:
        """Bit 5 of the paper byte: a ticket is present in the output."""
        return bool(self.value[0] & 0x20)


@dataclass(frozen=True)
class Flow:
    """XON (``go``) or XOFF."""

    go: bool


@dataclass(frozen=True)
class Junk:
    value: int


Event = Status | Fence | ProcessDone | AutoStatus | FullStatus | Flow | Junk

_PROCESS_HEAD = b"\x37\x22"
_PROCESS_LENGTH = 7
_FULL_HEAD = b"\x10\x0f"
_FULL_LENGTH = 6
_FENCES = {0x00: Fence(False, False), 0x03: Fence(False, True), 0x0C: Fence(True, False), 0x0F: Fence(True, True)}
_FLOWS = {0x11: Flow(True), 0x13: Flow(False)}

# Reasons by question, in the order in which staff should hear them. Words of kiosk.domain.health.
_BITS: dict[int, tuple[tuple[int, str], ...]] = {
    1: ((0x08, "offline"),),
    2: ((0x04, "cover_open"), (0x20, "paper_out"), (0x40, "printer_error")),
    3: ((0x08, "cutter"), (0x20, "unrecoverable"), (0x40, "head_hot"), (0x04, "mechanism")),
    4: ((0x60, "paper_out"), (0x0C, "paper_low")),
}


def reasons(question: int, value: int) -> tuple[str, ...]:
    """What the reply ``value`` to DLE EOT ``question`` says is wrong; empty when all is well."""
    return tuple(word for bits, word in _BITS[question] if value & bits)


class Decoder:
    """Bytes in, events out. Holds back at most six bytes. ``full``: 10 0F begins a full status, no automatic one."""

    def __init__(self, full: bool = False) -> None:
        self._held = bytearray()
        self._full = full

    def receive(self, chunk: bytes) -> list[Event]:
        events: list[Event] = []
        for byte in chunk:
            self._held.append(byte)
            self._settle(events)
        return events

    def _settle(self, events: list[Event]) -> None:
        while self._held:
            taken = self._first()
            if taken is None:
                return
            event, used = taken
            events.append(event)
            del self._held[:used]

    def _first(self) -> tuple[Event, int] | None:
        """The first event in the held bytes and its length, or None while it is still incomplete."""
        head = self._held[0]
        if head == _PROCESS_HEAD[0]:
            return self._process()
        if self._full and head == _FULL_HEAD[0] and self._held[:2] in (_FULL_HEAD, _FULL_HEAD[:1]):
            whole = len(self._held) >= _FULL_LENGTH
            return (FullStatus(bytes(self._held[2:_FULL_LENGTH])), _FULL_LENGTH) if whole else None
        if head & 0x93 == 0x10:
            return self._auto()
        if head & 0x93 == 0x12:
            return Status(head), 1
        return _FENCES.get(head) or _FLOWS.get(head) or Junk(head), 1

    def _process(self) -> tuple[Event, int] | None:
        held = bytes(self._held[:_PROCESS_LENGTH])
        digits = held[2:6]
        if not _PROCESS_HEAD.startswith(held[:2]) or (digits and not digits.isdigit()):
            return Junk(held[0]), 1
        if len(held) < _PROCESS_LENGTH:
            return None
        return (ProcessDone(held[2:6]), _PROCESS_LENGTH) if held[6] == 0 else (Junk(held[0]), 1)

    def _auto(self) -> tuple[Event, int] | None:
        """Bytes two to four have bits 4 and 7 clear; anything else means that the first byte was noise."""
        if any(byte & 0x90 for byte in self._held[1:4]):
            return Junk(self._held[0]), 1
        return None if len(self._held) < 4 else (AutoStatus(bytes(self._held[:4])), 4)
