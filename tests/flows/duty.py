"""A kiosk in memory with a staff card in its slot: a real certificate and key, the real journal, a cash machine."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import trio

from drivers.apdu import staff_card
from drivers.transport.scard import drive
from kiosk.domain.card import CardIdentity
from kiosk.domain.health import Condition, Health
from kiosk.domain.staff import StaffCard
from kiosk.ports import CardGone, DeviceFault, number_given
from kiosk.visit.session import serve_residents
from offline_queue.journal import SqliteJournal
from offline_queue.staff_books import StaffBooks
from simulators.cards.staff import Credentials, VirtualStaffCard
from simulators.pki import Pki, staff_credentials
from simulators.worlds.world import StaffEntry
from tests.flows.fittings import FakePad, FakeReader
from tests.flows.money import CashMachine
from tests.flows.people import CountingClock, KioskInMemory


class DutyReader(FakeReader):
    """Takes residents' cards and staff cards; the staff chip is the simulated one."""

    chip: VirtualStaffCard | None = None
    signatures_left: int | None = None  # then the chip is mute
    swapped = False  # another card lies in it, and its watch saw nothing

    async def same_card(self, identity: CardIdentity) -> bool:
        return not self.swapped and await super().same_card(identity)

    async def read_identity(self) -> CardIdentity:
        if self.chip and self.card_present:
            raise DeviceFault("card_reader", Health(Condition.READY, "card_staff"))
        return await super().read_identity()

    async def read_staff_card(self) -> StaffCard:
        await trio.lowlevel.checkpoint()
        if not self.card_present or self.chip is None:
            raise CardGone
        found = drive(staff_card.certificate(), self.chip.transmit)
        return StaffCard(CardIdentity(staff_card.code_of(found), "", "staff", None, None, b""), found)

    async def staff_signature(self, challenge: bytes) -> bytes:
        await trio.lowlevel.checkpoint()
        if not self.card_present or self.chip is None:
            raise CardGone
        if self.signatures_left == 0:
            raise DeviceFault("card_reader", Health(Condition.READY, "card_mute"))
        if self.signatures_left:
            self.signatures_left -= 1
        return drive(staff_card.signature(challenge), self.chip.transmit)


class WallClock(CountingClock):
    """Certificates are of today; so must the clock be. ``away`` sets it."""

    def __init__(self) -> None:
        super().__init__()
        self.moment = datetime.now(UTC)

    def now(self) -> datetime:
        return self.moment


class DutyRoom:
    """The house with staff in front of it. ``script`` answers by name of question, as for residents."""

    def __init__(
        self,
        folder: Path,
        pki: Pki,
        drums: dict[int, int] | None = None,
        cash: CashMachine | None = None,
        journal_kind: type[SqliteJournal] = SqliteJournal,
        pad: FakePad | None = None,
    ) -> None:
        self.pki = pki
        self.clock = WallClock()
        self.journal = journal_kind(folder, self.clock.now)
        self.cash = cash or CashMachine(drums or {1000: 5})
        self.script: dict[str, Any] = {}
        self.reader = DutyReader()
        self.kiosk = KioskInMemory(
            self.script, cash=self.cash, journal=self.journal, reader=self.reader, pad=pad or FakePad()
        )
        self.kiosk.desk.clock = self.clock
        self.kiosk.desk.terminal_books = StaffBooks(folder)
        self.kiosk.desk.aside = self.journal.outbox
        self.settings(anchor=str(pki.staff_ca))

    def settings(self, **rules: object) -> None:

        before = self.kiosk.desk.settings
        after = msgspec.structs.replace(before, staff=msgspec.structs.replace(before.staff, **rules))
        self.kiosk.desk.settings = after

    def card(self, staff_id: str, role: str, **wishes: object) -> VirtualStaffCard:
        wishes.setdefault("now", self.clock.moment)
        entry = StaffEntry(handle=staff_id, title="t", staff_id=staff_id, role=role)
        credentials = Credentials(*staff_credentials(self.pki, staff_id, staff_id, role, **wishes))  # type: ignore[arg-type]
        return VirtualStaffCard(entry, credentials)

    async def visit(self, chip: VirtualStaffCard | None, **script: Any) -> None:
        """One card in, the script lived, the card out. Answers that are ints are numbers typed."""
        self.script.clear()
        self.script.update({name: _typed(answer) for name, answer in script.items()})
        self.kiosk.screen.asked.clear()
        self.reader.chip = chip
        seen = len(self.acts())
        ends = {"staff_visit_closed", "visit_closed", "card_not_served"}

        async def person() -> None:
            await trio.sleep(3)
            self.reader.insert()
            while not ends & set(self.acts()[seen:]):
                await trio.sleep(0.1)
            await trio.sleep(1)
            self.reader.pull()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(person)
            await self._serve(lambda: bool(ends & set(self.acts()[seen:])) and not self.reader.card_present)

    async def _serve(self, until: Callable[[], bool]) -> None:
        self.cash.breaks = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.kiosk.supervisor.run)
            await self.kiosk.supervisor.wait_tried()
            nursery.start_soon(serve_residents, self.kiosk.desk)
            with contextlib.suppress(trio.TooSlowError), trio.fail_after(20_000):
                while not until():
                    await trio.sleep(0.1)
            nursery.cancel_scope.cancel()
        assert until(), f"asked: {self.names()}, journal: {self.acts()}"

    def acts(self) -> list[str]:
        return [entry.act for entry in self.journal.entries()]

    def names(self) -> list[str]:
        return self.kiosk.screen.names()


def _typed(answer: Any) -> Any:
    if isinstance(answer, list):
        return [_typed(one) for one in answer]
    return number_given(str(answer)) if isinstance(answer, int) else answer
