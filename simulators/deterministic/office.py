"""Who may open the staff side of a terminal in memory: the agency's anchor for staff cards, and the cards."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from simulators.cards.staff import Credentials, VirtualStaffCard
from simulators.deterministic.busy_world import demo
from simulators.pki import make_pki, staff_credentials
from simulators.worlds.world import StaffEntry


@dataclass(frozen=True)
class StaffOffice:
    """``anchor``: PEM. ``credentials`` by the card's handle."""

    anchor: bytes
    credentials: Mapping[str, tuple[StaffEntry, Credentials]]

    def cards(self) -> dict[str, VirtualStaffCard]:
        """New ones, with all their tries."""
        return {
            handle: VirtualStaffCard(entry, credentials) for handle, (entry, credentials) in self.credentials.items()
        }


@cache
def staff_office(now: datetime) -> StaffOffice:
    """Made once in a process, and outside of any history: keys have a randomness of their own."""
    with tempfile.TemporaryDirectory() as folder:
        pki = make_pki(Path(folder), now)
        made = {
            one.handle: (one, Credentials(*staff_credentials(pki, one.handle, one.staff_id, one.role, now=now)))
            for one in demo().staff
        }
        return StaffOffice(pki.staff_ca.read_bytes(), made)
