"""A Puloon LCDM-1000 dispenser: the device's side of the wire. Its ROM version begins with ``SIM``."""

from collections.abc import Callable, Mapping

from simulators.worlds.world import World

ACK, NAK = b"\x06", b"\x15"
GOOD, JAM_AT_EXIT, BILL_END, UNDEFINED, CASSETTE_MISSING = 0x30, 0x35, 0x38, 0x37, 0x45
NOTE_S, ANSWER_S, SPACING_S = 0.15, 0.1, 0.3
REPEAT_S, REPEATS = 0.5, 3
STALLED_S = 0.2
NEAR_END_NOTES = 20

FAULTS = (
    "silent",  # answers nothing
    "lose_acks",  # the host's ACK bytes never arrive: the answer is told three times more
    "damage",  # every first telling of an answer has a wrong check byte
    "noise",  # FF before each answer, as after power-on
    "jam_at_exit",  # three notes before the end of the next dispense
    "reject_one",  # the next dispense puts its first note into the reject box
    "no_cassette",
)


def frame(first: int, command: int, body: bytes = b"") -> bytes:
    text = bytes((first, 0x50, 0x02, command)) + body + b"\x03"
    check = 0
    for byte in text:
        check ^= byte
    return text + bytes((check,))


class PuloonDispenser:
    """Implements ``simulators.lines.LineDevice``. ``faults`` may be changed at any moment; see ``FAULTS``."""

    def __init__(self, yuan: int = 100, notes: int = 200) -> None:
        self.wire: Callable[[bytes], None] = lambda chunk: None
        self.faults: set[str] = set()
        self.commands: list[int] = []  # that were carried out
        self.lost_commands: set[int] = set()
        self.lost_replies: set[int] = set()  # nothing of it arrives, however often it is told
        self.yuan = yuan
        self.notes = notes  # in the cassette
        self.outlet: list[int] = []
        self.rejected: list[int] = []  # in the reject box
        self.path: list[int] = []  # stuck inside
        self._now_s = self._heard_at_s = 0.0
        self._start()

    def _start(self) -> None:
        self._text = bytearray()
        self._next: tuple[float, Callable[[], None]] | None = None
        self._answer = b""
        self._tellings = 0
        self._quiet_until_s = 0.0

    # --- the front of the unit ----------------------------------------------------------------------------------------

    def take_notes(self) -> list[int]:
        taken, self.outlet = self.outlet, []
        return taken

    def load(self, yuan: int, count: int) -> None:
        """Staff fill the cassette. Raises ValueError: it holds another denomination."""
        if yuan != self.yuan:
            raise ValueError(f"this cassette holds notes of {self.yuan} yuan")
        self.notes += count

    def clear_jam(self) -> list[int]:
        stuck, self.path = self.path, []
        return stuck

    # --- time and power -----------------------------------------------------------------------------------------------

    @property
    def due_s(self) -> float | None:
        """When something inside happens by itself, for a carrier that need not tick before; None: nothing will."""
        return self._next[0] if self._next else None

    def tick(self, now_s: float) -> None:
        self._now_s = now_s
        if now_s - self._heard_at_s > STALLED_S:
            self._text.clear()
        if self._next is not None and now_s >= self._next[0]:
            then, self._next = self._next[1], None
            then()

    def power_cut(self) -> None:
        """It remembers nothing; what was on its way stays where it is."""
        self._start()

    def _later(self, after_s: float, then: Callable[[], None]) -> None:
        self._next = (self._now_s + after_s, then)

    # --- the wire -----------------------------------------------------------------------------------------------------

    def receive(self, chunk: bytes) -> None:
        self._heard_at_s = self._now_s
        if "silent" in self.faults:
            return
        for value in chunk:
            if not self._text and value in (0x06, 0x15):
                self._confirmed(value == 0x06)
            elif self._text or value == 0x04:
                self._text.append(value)
                self._cut()

    def _cut(self) -> None:
        text = bytes(self._text)
        if len(text) < 6 or text[-2] != 3:
            if len(text) > 32:
                self._text.clear()
            return
        self._text.clear()
        check = 0
        for byte in text:
            check ^= byte
        if check or text[1:3] != b"\x50\x02":
            self.wire(NAK)
        else:
            self._hear(text[3], text[4:-2])

    def _hear(self, command: int, body: bytes) -> None:
        if command in self.lost_commands:
            self.lost_commands.discard(command)
        elif (self._next is not None and self._answer == b"") or self._now_s < self._quiet_until_s:
            self.wire(NAK)  # busy, or too soon
        else:
            self.commands.append(command)
            self._answer, self._next = b"", None
            self.wire(ACK)
            self._carry_out(command, body)

    def _carry_out(self, command: int, body: bytes) -> None:
        if command == 0x45 and len(body) == 2 and body.isdigit() and 0 < int(body) <= 60:
            self._dispense(int(body))
        elif command == 0x46:
            self._reply_later(command, bytes((0x30, self._error(), 0, 0)))
        elif command == 0x44:
            self.rejected += self.path
            self.path = []
            self._reply_later(command, bytes((self._error(),)))
        elif command == 0x47:
            self._reply_later(command, b"SIM-LCDM1000")
        else:
            self._reply_later(command, bytes((UNDEFINED,)))

    def _error(self) -> int:
        if "no_cassette" in self.faults:
            return CASSETTE_MISSING
        return JAM_AT_EXIT if self.path else BILL_END if self.notes == 0 else GOOD

    def _dispense(self, wanted: int) -> None:
        counts = {"checked": 0, "exited": 0, "rejected": 0}
        self._later(NOTE_S, lambda: self._move_one(wanted, counts))

    def _move_one(self, wanted: int, counts: dict[str, int]) -> None:
        """One note from the cassette to the exit, the reject box, or into the way of the others."""
        jam = "jam_at_exit" in self.faults and counts["exited"] >= max(wanted - 3, 0)
        if counts["exited"] == wanted or self.notes == 0 or (jam and counts["checked"] == wanted):
            self._finish(counts)
            return
        self.notes -= 1
        counts["checked"] += 1
        if "reject_one" in self.faults:
            self.faults.discard("reject_one")
            counts["rejected"] += 1
            self.rejected.append(self.yuan)
        elif jam:
            self.path.append(self.yuan)
        else:
            counts["exited"] += 1
            self.outlet.append(self.yuan)
        self._later(NOTE_S, lambda: self._move_one(wanted, counts))

    def _finish(self, counts: dict[str, int]) -> None:
        self.faults.discard("jam_at_exit")
        error = JAM_AT_EXIT if self.path else BILL_END if self.notes == 0 else GOOD
        cassette = 0x31 if self.notes < NEAR_END_NOTES else 0x30
        numbers = f"{counts['checked']:02d}{counts['exited']:02d}".encode()
        self._reply_later(0x45, numbers + bytes((error, cassette)) + f"{counts['rejected']:02d}".encode())

    def _reply_later(self, command: int, body: bytes) -> None:
        self._tellings = 0
        answer = frame(0x01, command, body)
        self._later(ANSWER_S, lambda: self._tell(answer))

    def _tell(self, answer: bytes) -> None:
        """Until the host confirms, three times more."""
        self._answer = answer
        self._tellings += 1
        text = answer
        if "damage" in self.faults and self._tellings == 1:
            text = text[:-1] + bytes((text[-1] ^ 0x10,))
        if "noise" in self.faults:
            text = b"\xff" + text
        if answer[3] not in self.lost_replies:
            self.wire(text)
        if self._tellings <= REPEATS:
            self._later(REPEAT_S, lambda: self._tell(answer))
        else:
            self._ended(answer)

    def _confirmed(self, good: bool) -> None:
        if not self._answer or (good and "lose_acks" in self.faults):
            return
        if good:
            self._ended(self._answer)
        elif self._tellings <= REPEATS:
            self._tell(self._answer)

    def _ended(self, answer: bytes) -> None:
        self.lost_replies.discard(answer[3])
        self._answer, self._next = b"", None
        self._quiet_until_s = self._now_s + SPACING_S


def build(world: World, options: Mapping[str, str]) -> PuloonDispenser:
    """Options: ``yuan`` of the cassette's notes, ``notes`` in it."""
    return PuloonDispenser(int(options.get("yuan", "100")), int(options.get("notes", "200")))
