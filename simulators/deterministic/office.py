"""What the agency gives a terminal in memory and takes back from it: staff with their cards, and its keys."""

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from kiosk.settings.config import AgencyKeys, StaffRules
from simulators.cards.staff import Credentials, VirtualStaffCard
from simulators.deterministic.busy_world import demo
from simulators.deterministic.tills import Till
from simulators.pki import Pki, make_pki, staff_credentials
from simulators.worlds.world import StaffEntry


@dataclass(frozen=True)
class StaffOffice:
    """``credentials`` by the card's handle. ``kept``: the folder of ``pki``, for as long as this lives."""

    pki: Pki
    credentials: Mapping[str, tuple[StaffEntry, Credentials]]
    kept: "tempfile.TemporaryDirectory[str]"

    def cards(self) -> dict[str, VirtualStaffCard]:
        """New ones, with all their tries."""
        return {handle: VirtualStaffCard(entry, own) for handle, (entry, own) in self.credentials.items()}

    @property
    def rules(self) -> StaffRules:
        return StaffRules(anchor=str(self.pki.staff_ca))

    @property
    def keys(self) -> AgencyKeys:
        public = {"agency": str(self.pki.public("documents"))}
        return AgencyKeys(recovery=str(self.pki.public("recovery")), documents=public)


@cache
def staff_office(now: datetime) -> StaffOffice:
    """Made once in a process, and outside of any history: keys have a randomness of their own."""
    folder = tempfile.TemporaryDirectory()
    pki = make_pki(Path(folder.name), now)
    made = {
        one.handle: (one, Credentials(*staff_credentials(pki, one.handle, one.staff_id, one.role, now=now)))
        for one in demo().staff
    }
    return StaffOffice(pki, made, folder)


@dataclass
class Hands:
    """What staff do to the cash box. ``bag``: yuan to pieces, out of the box and in nobody's books yet."""

    till: Till
    tell: Callable[[str], None]
    carried_yuan: int = 0  # out of the machine, ever

    def __post_init__(self) -> None:
        self.bag: Counter[int] = Counter()
        self._box_is_out = False

    def take_box(self) -> None:
        """Its notes go into the bag with those that are still to be counted."""
        self._box_is_out = True
        notes = self.till.open_box()
        self.bag.update(notes)
        self.carried_yuan += sum(notes)
        self.tell(f"staff take {sum(notes)} yuan out")

    def put_box_in(self) -> None:
        """An empty one, where none is in."""
        if self._box_is_out:
            self._box_is_out = False
            self.till.close_box()
