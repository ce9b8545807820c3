"""One resident's settlement, lived once, cut at any effect, restarted, recovered, and every book compared."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import trio

from kiosk.domain.books import Account, Posting, totals
from kiosk.domain.money import Fen
from kiosk.money.drive_unknown import drive_unknown
from kiosk.money.recover import recover_books, recover_cash
from kiosk.ports import Back, ResidentLeft, Visit
from kiosk.services.settle_medical_bill import settle_medical_bill
from offline_queue.verify import open_read_only, verify
from tests.flows.money import QUOTE, CashMachine, Fuse, FusedJournal, Office, PowerCut
from tests.flows.people import CountingClock, KioskInMemory

SCRIPT: dict[str, Any] = {
    "choose_bill": "B1",
    "confirm_quote": "pay",
    "bill_settled": "understood",
    "outcome_pending": "understood",
    "host_refused": "understood",
    "host_silent": "understood",
    "device_out": "understood",
    "figures_changed": "accept",
}


@dataclass(frozen=True)
class Plan:
    """What happens in one world."""

    name: str
    behaviour: str = "books"
    notes: tuple[int, ...] = (5000, 2000)
    drums: tuple[tuple[int, int], ...] = ((1000, 5), (500, 5), (100, 9))
    script: tuple[tuple[str, Any], ...] = ()
    sensor_fails: bool = False
    busy_times: int = 0
    cash_fen: int = 6000  # what 2206 leaves to the resident
    ends: str = "settled"  # an act that stands in the journal of the uncut life
    outlet: int = 1000  # what the resident finds in the outlet after the uncut life


@dataclass
class World:
    """All that survives a power cut: the disk, the cash machine, the hosts, the resident's pocket."""

    plan: Plan
    folder: Path
    fuse: Fuse = field(default_factory=Fuse)

    def __post_init__(self) -> None:
        quote = replace(QUOTE, cash_fen=Fen(self.plan.cash_fen), fund_fen=Fen(16_000 - self.plan.cash_fen))
        self.office = Office(behaviour=self.plan.behaviour, quote_split=quote, fuse=self.fuse)
        self.cash = CashMachine(dict(self.plan.drums))
        self.cash.fuse = self.fuse
        self.cash.sensor_fails = self.plan.sensor_fails
        self.cash.busy_times = self.plan.busy_times
        self.cash.pocket = [Fen(note) for note in self.plan.notes]
        self.drums_at_start = self.cash.content_fen
        self.journal = self._open_journal()
        self.cut = False
        self.lives = 1
        self.acts: list[str] = []

    def _open_journal(self) -> FusedJournal:
        journal = FusedJournal(self.folder, lambda: datetime(2026, 11, 21, tzinfo=UTC))
        journal.fuse = self.fuse
        return journal

    async def live(self) -> None:
        """The resident's visit, until it ends or the power goes."""
        kiosk = KioskInMemory(SCRIPT | dict(self.plan.script), self.office, self.cash, self.journal)
        try:
            async with trio.open_nursery() as nursery:
                await recover_cash(self.journal, CountingClock(), self.cash)
                nursery.start_soon(kiosk.supervisor.run)
                await kiosk.supervisor.wait_tried()
                kiosk.reader.insert()
                reader = kiosk.reader
                kiosk.desk.visit = Visit(reader.identity, reader.holder, "000001", pin_verified=True)
                with contextlib.suppress(Back, ResidentLeft):
                    await settle_medical_bill(kiosk.desk)
                nursery.cancel_scope.cancel()
        except* PowerCut:
            self.cut = True

    async def restart(self, cut_at: int | None = None) -> None:
        """Power is back: the next life recovers, and the forwarder looks at what is UNKNOWN. May be cut in its turn."""
        self.journal.close()
        self.fuse.left = cut_at
        self.cash.breaks = trio.Event()
        self.cash.boot()
        self.journal = self._open_journal()
        self.lives += 1
        clock = LaterClock(self.lives)
        with contextlib.suppress(PowerCut):
            await recover_cash(self.journal, clock, self.cash)
            recover_books(self.journal, clock)
            for _ in range(3):
                await drive_unknown(self.journal, clock, self.office)
                await trio.sleep(60)

    def balances(self) -> dict[Account, Fen]:
        postings: list[Posting] = []
        for entry in self.journal.entries():
            postings += entry.postings
        return totals(postings)


class LaterClock(CountingClock):
    """Keys of a later life: never those of an earlier one."""

    def __init__(self, life: int) -> None:
        super().__init__()
        self._keys = 1000 * life


def check_all_books(world: World) -> None:
    """Every money rule that can be seen from outside, over journal, cash machine, platform and hospital."""
    books = world.balances()
    plan = world.plan
    fed = sum(plan.notes) - sum(world.cash.pocket)
    # 1. Double entry: the whole adds up to nothing, and nobody's money is nobody's.
    assert sum(books.values()) == 0, books
    assert books.get(Account.RESIDENT, 0) == 0, books
    # 2. What the books hold is what the machine holds.
    held = books.get(Account.CASH_BOX, 0) + books.get(Account.DRUMS, 0)
    if not plan.sensor_fails:
        assert held == world.cash.content_fen - world.drums_at_start, (books, world.cash.content_fen)
    # 3. The resident lost exactly what somebody owes for: hospital, debt or suspense.
    lost = fed - world.cash.outlet
    owed = -sum(books.get(account, 0) for account in (Account.HOSPITAL, Account.HOLDER_DEBT, Account.SUSPENSE))
    if not plan.sensor_fails:
        assert lost == owed, (lost, books)
    assert not books.get(Account.SURPLUS) and not books.get(Account.SHORTAGE), books
    # 4. One 2207 at most, in every life.
    assert world.office.settles <= 1
    # 5. The platform booked: then the books say settled, or an effect is still open for it. Never the opposite.
    acts = [entry.act for entry in world.journal.entries()]
    booked = bool(world.office.booked)
    settled = "settled" in acts or "settled_late" in acts
    unknown = any(entry.act == "settle_intent" for entry in world.journal.open_effects())
    assert settled or unknown or not booked, acts
    assert not settled or booked, acts
    # 6. Nothing is dispensed twice, and change never before SETTLED.
    assert world.cash.dispenses <= 1
    # 7. The chain is whole.
    assert verify(open_read_only(world.folder / "journal.db"), None).whole


async def run_plan(plan: Plan, cut_at: int | None, cuts_in_recovery: tuple[int, ...] = ()) -> World:
    """Live a plan in a new world, cut after ``cut_at`` effects, recover (cut again and again), check."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        world = World(plan, Path(folder))
        world.fuse.left = cut_at
        await world.live()
        outlet_before = world.cash.outlet
        for again in cuts_in_recovery:
            await world.restart(again)
        await world.restart()
        assert world.cash.outlet == outlet_before, "recovery paid somebody"
        check_all_books(world)
        world.acts = [entry.act for entry in world.journal.entries()]
        world.journal.close()
        return world
