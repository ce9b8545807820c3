"""A CCNET Bill-to-Bill recycler: a validator with cassettes that pay out again and a memory of what was cut off."""

from collections.abc import Callable, Mapping

from simulators.devices.ccnet import ILLEGAL, MOVE_S, OK, CcnetValidator

CASSETTE_NOTES_MAX = 30
DISPENSE_NOTES_MAX = 20
NOTE_S = 0.2
RETRACT_S = 60.0
DISPENSED = b"\x25"
RETRACTED = b"\x47\xca"


class CcnetBillToBill(CcnetValidator):
    """As ``CcnetValidator``. Further faults: ``dispense_jams`` (after the first note), ``wrong_counts`` (a note is lost
    from the cassettes while paying out).
    """

    address = 1

    def __init__(self, types: Mapping[int, int] | None = None, serial: str = "SIM000000002") -> None:
        # Non-volatile: cassettes and what was under way.
        self.cassettes: list[list[int]] = [[4, 0], [6, 0], [7, 0]]  # [type, count]
        self.dispenser: list[int] = []  # types of notes on their way out
        self._asked: list[tuple[int, int]] = []
        self._moved: list[int] = []  # types, out of the cassettes for what was asked
        self._packed: list[tuple[int, int]] = []  # not acknowledged: (type, destination)
        self._told_recovery = b""
        super().__init__(types, serial=serial)

    def load(self, yuan: int, count: int) -> None:
        """Staff put notes into the cassette of that denomination."""
        for cassette in self.cassettes:
            if self.types[cassette[0]] == yuan:
                cassette[1] += count

    def take_notes(self) -> list[int]:
        taken = super().take_notes()
        if self._state == b"\x1d\x01" and taken:
            self._tell(DISPENSED)
        return taken

    def power_cut(self) -> None:
        if self._note is not None and self._note_past_gate:
            place = self._place(self._note)
            self._packed.append((self._note, place))
            self._bank(self._note, place)
            self._note, self._note_past_gate = None, False
        self._owed = None
        self._told_recovery = b""
        super().power_cut()

    # --- stacking -----------------------------------------------------------------------------------------------------

    def _place(self, kind: int) -> int:
        """0 = drop cassette."""
        places = enumerate(self.cassettes, 1)
        return next((place for place, (type_, count) in places if type_ == kind and count < CASSETTE_NOTES_MAX), 0)

    def _bank(self, kind: int, place: int) -> None:
        self.counter += 1
        if place:
            self.cassettes[place - 1][1] += 1
        else:
            self.box.append(self.types[kind])

    def _put_away(self, kind: int) -> bytes:
        place = self._place(kind)
        self._bank(kind, place)
        self._packed.append((kind, place))  # until the host acknowledges
        return bytes((0x81, kind, place))

    def _acknowledged(self) -> None:
        if "lose_acks" in self.faults:
            return
        if self._told_recovery and self._last == self._told_recovery:
            self._packed, self._told_recovery = [], b""
            if not self._moved:
                self._asked = []
            return
        ended = self._owed if self._last == self._owed else None
        super()._acknowledged()
        if ended == DISPENSED:
            self._asked, self._moved = [], []
        elif ended is not None and ended[0] == 0x81:
            self._packed = []

    # --- commands -----------------------------------------------------------------------------------------------------

    def _actions(self) -> dict[int, Callable[[bytes], bytes]]:
        actions = super()._actions()
        actions.pop(0x5A)
        actions.pop(0x5B)
        return actions | {
            0x3B: lambda rest: self._cassette_status(),
            0x3C: self._dispense,
            0x66: lambda rest: self._power_recovery(),
            0x67: lambda rest: self._empty_dispenser(),
        }

    def _enable(self, rest: bytes) -> bytes:
        if any(rest) and self._moved:
            self._go(b"\x47\x54")
            return OK
        reply = super()._enable(rest)
        if reply == OK and any(rest):
            self._packed = []  # 7.9: enabling without asking first loses them
        return reply

    def _cassette_status(self) -> bytes:
        words = b"".join(
            bytes((0x80 | (0x40 if count >= CASSETTE_NOTES_MAX else 0) | kind, count)) for kind, count in self.cassettes
        )
        return words + bytes((0x1F, 0)) * (16 - len(self.cassettes))

    def _power_recovery(self) -> bytes:
        if self._state != b"\x19":
            return ILLEGAL
        if self._asked:
            asked = b"".join(bytes((0x80 | kind, count)) for kind, count in self._asked)
            moved = {kind: self._moved.count(kind) for kind in self._moved}
            reply = b"\x3c" + asked + b"".join(bytes(pair) for pair in moved.items())
        elif self._packed:
            reply = b"\x17" + b"".join(bytes(pair) for pair in self._packed)
        else:
            reply = OK
        self._told_recovery = reply
        return reply

    def _empty_dispenser(self) -> bytes:
        if self._state != b"\x19":
            return ILLEGAL
        if self.dispenser:
            self._present()
        else:
            self._tell(DISPENSED)
        return OK

    def _dispense(self, rest: bytes) -> bytes:
        wanted = [(rest[index], rest[index + 1]) for index in range(0, len(rest) - 1, 2)]
        if self._state != b"\x19" or not wanted or sum(count for _, count in wanted) > DISPENSE_NOTES_MAX:
            return ILLEGAL
        held = {kind: sum(count for type_, count in self.cassettes if type_ == kind) for kind, _ in wanted}
        if any(kind not in self.types for kind, _ in wanted):
            self._go(b"\x28", MOVE_S, self._rest)
            return OK
        if any(held[kind] < count for kind, count in wanted):
            return ILLEGAL
        self._asked, self._moved = wanted, []
        queue = [kind for kind, count in wanted for _ in range(count)]
        self._go(b"\x1d\x00", NOTE_S, lambda: self._move_one(queue))
        return OK

    def _move_one(self, queue: list[int]) -> None:
        if "dispense_jams" in self.faults and self.dispenser:
            self._go(b"\x47\x70")
            return
        if not queue:
            self._present()
            return
        kind = queue.pop(0)
        self._take_from_cassette(kind)
        if "wrong_counts" in self.faults:
            self.faults.discard("wrong_counts")
            self._take_from_cassette(kind)
        self.dispenser.append(kind)
        self._moved.append(kind)
        self._go(b"\x1d\x00", NOTE_S, lambda: self._move_one(queue))

    def _take_from_cassette(self, kind: int) -> None:
        cassette = next(one for one in self.cassettes if one[0] == kind and one[1] > 0)
        cassette[1] -= 1

    def _present(self) -> None:
        self.outlet += [self.types[kind] for kind in self.dispenser]
        self.dispenser = []
        self._go(b"\x1d\x01", RETRACT_S, self._retract)

    def _retract(self) -> None:
        """Nobody took them (retract control on)."""
        self.box += self.outlet
        self.outlet = []
        self._asked, self._moved = [], []
        self._go(RETRACTED)
