"""The terminal's cash module as hands meet it: an entry for notes, an outlet, a door to the cash box, and jams."""

from collections.abc import Callable
from pathlib import Path

from simulators.devices.ccnet import CNY_TYPES
from simulators.devices.ccnet_recycler import CcnetBillToBill
from simulators.front_panel.front import NoteFront, NotPossible
from simulators.pty_line import PtyLine

KINDS = ("good", "fake", "torn", "two")
YUAN = tuple(CNY_TYPES.values())
LOADED = ((1, 24), (10, 18), (50, 6))  # yuan, notes: change to the yuan for a while
# Switch -> the unit's fault. Staff who switch it off also take out what got stuck.
JAMS = {"note_jam": "jam_in_acceptor", "stacker_jam": "stack_jams", "dispenser_jam": "dispense_jams"}


class LooseTill:
    """A Bill-to-Bill recycler that somebody else connects. What lies in it stays there over every power cut."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.recycler = CcnetBillToBill()
        types = {yuan: kind for kind, yuan in CNY_TYPES.items()}
        self.recycler.cassettes = [[types[yuan], count] for yuan, count in LOADED]
        self.box_out = False
        self.with_staff: list[int] = []  # yuan, taken out of a jam by hand
        self._on_change = on_change

    def front(self) -> NoteFront:
        recycler = self.recycler
        return NoteFront(
            lit=recycler.accepts,
            outlet=tuple(recycler.outlet),
            box_notes=len(recycler.box),
            box_yuan=sum(recycler.box),
            drums=tuple((recycler.types[kind], count) for kind, count in recycler.cassettes),
            with_staff=tuple(self.with_staff),
        )

    def feed(self, yuan: int, kind: str = "good") -> None:
        """Raises LookupError: no such note. NotPossible: the entry is shut."""
        if yuan not in YUAN or kind not in KINDS:
            raise LookupError(yuan, kind)
        if not self.recycler.insert(yuan, kind):
            raise NotPossible("纸币口没有亮灯，纸币还在您手里 · the note slot is not lit, the note stays in your hand")
        self._on_change()

    def take_notes(self) -> None:
        """Raises NotPossible: nothing lies there."""
        if not self.recycler.take_notes():
            raise NotPossible("出钞口是空的 · the outlet is empty")
        self._on_change()

    # --- what goes wrong ----------------------------------------------------------------------------------------------

    def is_on(self, switch: str) -> bool:
        return self.box_out if switch == "cash_box_out" else JAMS[switch] in self.recycler.faults

    def turn(self, switch: str, on: bool) -> None:
        """A switch of the panel: the cash box's door, or a jam."""
        if on == self.is_on(switch):
            return
        if switch == "cash_box_out":
            self._turn_door(out=on)
        elif on:
            self.recycler.faults.add(JAMS[switch])
        else:
            self.recycler.faults.discard(JAMS[switch])
            self.with_staff += self.recycler.clear_jam()

    def _turn_door(self, *, out: bool) -> None:
        self.box_out = out
        if out:
            self.recycler.open_door()
        else:
            self.with_staff += self.recycler.box
            self.recycler.close_door()


class Till(LooseTill):
    """The same on a line of its own."""

    def __init__(self, line: Path, on_change: Callable[[], None]) -> None:
        super().__init__(on_change)
        self.line = PtyLine(line, self.recycler)

    def power_cut(self) -> None:
        self.line.power_cut()
