"""A contribution in notes: lived once, cut at any effect, recovered, told, and every book compared."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio

from kiosk.domain.books import Account, totals
from kiosk.domain.money import Fen
from kiosk.money.offline_limits import OfflineLimits
from kiosk.money.receipts_owed import receipts_owed
from kiosk.money.recover import recover_books, recover_cash
from kiosk.ports import Back, ResidentLeft, Visit
from kiosk.services.collect_receipt import collect_receipt
from kiosk.services.pay_contributions import pay_contributions
from kiosk.settings.config import ContributionRules
from offline_queue.verify import open_read_only, verify
from tests.flows.agency import NOW, AgencyOffice, Documents, allows, tell_all
from tests.flows.fittings import FakeReader
from tests.flows.hospital import HospitalOffice
from tests.flows.money import CashMachine, Fuse, FusedJournal, PowerCut
from tests.flows.people import KioskInMemory
from tests.flows.test_pay_contributions import SAID
from tests.simulation.owed import FusedPrinter
from tests.simulation.settlements import LaterClock

CARD = FakeReader().identity.card_number
RULES = ContributionRules(2026, (20_000, 30_000), (40_000,))


@dataclass(frozen=True)
class Plan:
    """``habit``: the agency's while the resident is there; ``later``: from the restart on."""

    name: str
    notes: tuple[int, ...]
    habit: str = "credits"
    later: str = "credits"
    ends: str = ""
    outlet: int = 0


@dataclass
class World:
    """All that survives a power cut: disk, cash machine, paper, the agency's books, and the resident's pocket."""

    plan: Plan
    folder: Path
    fuse: Fuse = field(default_factory=Fuse)

    def __post_init__(self) -> None:
        self.agency = AgencyOffice(habit=self.plan.habit, fuse=self.fuse)
        self.cash = CashMachine({10_000: 2, 1000: 9})
        self.cash.fuse = self.fuse
        self.cash.pocket = [Fen(note) for note in self.plan.notes]
        self.content_at_start = self.cash.content_fen
        self.printer = FusedPrinter()
        self.printer.fuse = self.fuse
        self.lives = 0
        self.journal = self._open_journal()

    def _open_journal(self) -> FusedJournal:
        journal = FusedJournal(self.folder, lambda: NOW)
        journal.fuse = self.fuse
        return journal

    async def visit(self, service: Any, **script: Any) -> None:
        self.lives += 1
        kiosk = KioskInMemory(SAID | script, cash=self.cash, journal=self.journal, receipts=self.printer)
        desk = kiosk.desk
        desk.clock = LaterClock(self.lives)
        desk.settings = kiosk.settings.__class__(run_dir="", data_dir="", contributions=RULES)
        desk.hospital = HospitalOffice()  # it keeps no receipt of this card
        desk.social_insurance = self.agency  # type: ignore[assignment]  # all that this service asks of it
        documents = Documents(allows("contribution", 30_000))
        desk.offline = OfflineLimits(self.journal, desk.clock, documents, lambda: desk.visit, lambda: True)
        code = f"{self.lives:06d}"
        with contextlib.suppress(PowerCut):
            try:
                async with trio.open_nursery() as nursery:
                    await recover_cash(self.journal, desk.clock, self.cash)
                    nursery.start_soon(kiosk.supervisor.run)
                    await kiosk.supervisor.wait_tried()
                    kiosk.reader.insert()
                    desk.visit = Visit(kiosk.reader.identity, kiosk.reader.holder, code, pin_verified=True)
                    with contextlib.suppress(Back, ResidentLeft):
                        await service(desk)
                    self.journal.record("service_ended", code, service="contribution")
                    nursery.cancel_scope.cancel()
            except* PowerCut:
                pass

    async def restart(self, cut_at: int | None = None) -> None:
        """Power and line are back: recovery, and the agency hears what it is owed. May be cut in its turn."""
        self.journal.close()
        self.fuse.left, self.agency.habit = cut_at, self.plan.later
        self.cash.breaks = trio.Event()
        self.cash.boot()
        self.journal = self._open_journal()
        self.lives += 1
        clock = LaterClock(self.lives)
        with contextlib.suppress(PowerCut):
            await recover_cash(self.journal, clock, self.cash)
            recover_books(self.journal, clock)
            await tell_all(self.journal, self.agency, clock)

    async def get_papers(self) -> None:
        for _ in range(5):
            owed = receipts_owed(self.journal, CARD)
            if not owed:
                return
            await self.visit(collect_receipt, choose_receipt=[str(one.paper) for one in owed])
        raise AssertionError("papers that never end")


def check_books(world: World) -> None:
    """Journal, cash machine, agency, register and pocket tell the same story."""
    postings = [posting for entry in world.journal.entries() for posting in entry.postings]
    books, agency = totals(postings), world.agency
    assert sum(books.values()) == 0, books
    assert not {Account.RESIDENT, Account.CONTRIBUTIONS, Account.SURPLUS, Account.SHORTAGE} & set(books), books
    held = books.get(Account.CASH_BOX, 0) + books.get(Account.DRUMS, 0)
    assert held == world.cash.content_fen - world.content_at_start, books
    assert -books.get(Account.AGENCY, 0) == sum(agency.credited.values()), (books, agency.credited)
    assert -books.get(Account.HOLDER_DEBT, 0) == sum(agency.registered.values()), (books, agency.registered)
    # What nobody knows to have come out is a case, and what the resident lacks is somebody's to give.
    suspense = -books.get(Account.SUSPENSE, 0)
    assert ("dispense_uncertain" in {entry.act for entry in world.journal.entries()}) is bool(suspense), books
    owed = suspense - books.get(Account.AGENCY, 0) - books.get(Account.HOLDER_DEBT, 0)
    assert sum(world.plan.notes) - sum(world.cash.pocket) - world.cash.outlet == owed, books
    assert len(agency.credited) <= 1
    assert world.cash.dispenses <= 1
    assert world.journal.unsent()[0] == 0
    assert verify(open_read_only(world.folder / "journal.db"), None).whole


async def run_plan(plan: Plan, cut_at: int | None, cuts_in_recovery: tuple[int, ...] = ()) -> World:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        world = World(plan, Path(folder))
        world.fuse.left = cut_at
        await world.visit(pay_contributions)
        outlet_before = world.cash.outlet
        for again in cuts_in_recovery:
            await world.restart(again)
        await world.restart()
        assert world.cash.outlet == outlet_before, "recovery paid somebody"
        check_books(world)
        await world.get_papers()
        check_books(world)
        world.acts = [entry.act for entry in world.journal.entries()]
        world.journal.close()
        return world
