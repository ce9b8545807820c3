"""A refund by its holder, lived once, cut at any effect, recovered, reconciled the day after, all books compared."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import trio

from kiosk.domain.books import Account, Posting, balanced, totals
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import Fen
from kiosk.domain.settlement import Settlement
from kiosk.money.hospital_notices import payment_facts
from kiosk.money.recover import recover_books, recover_cash
from kiosk.money.refundable import APPROVED
from kiosk.money.run_reconciliation import Books, Reconciled, reconcile_day
from kiosk.ports import Back, ResidentLeft, Visit
from kiosk.services.take_refund import take_refund
from offline_queue.verify import open_read_only, verify
from tests.flows.money import BILL, QUOTE, CashMachine, Fuse, FusedJournal, PowerCut
from tests.flows.people import CountingClock, KioskInMemory
from tests.simulation.days_after import DAY, MorningClock, RecordingOffice

CASH = 6_000
SCRIPT = {
    "confirm_refund": "give_back",
    "refund_done": "understood",
    "refund_not_known": "understood",
    "host_refused": "understood",
    "host_silent": "understood",
}


@dataclass(frozen=True)
class RefundPlan:
    """``void``: answers | silent (undone, never heard) | lost (never arrives)."""

    name: str
    void: str = "answers"
    drums: tuple[tuple[int, int], ...] = ((1000, 9),)
    sensor_fails: bool = False
    ends: str = "dispensed"


@dataclass
class VoidingOffice(RecordingOffice):
    void_habit: str = "answers"

    async def void(self, person: object, settlement: Settlement, message_id: str) -> None:
        if self.void_habit == "lost":
            self.fuse.burn("2208 asked")
            await trio.sleep_forever()
        await super().void(person, settlement, message_id)
        if self.void_habit == "silent":
            await trio.sleep_forever()


@dataclass
class RefundWorld:
    """All that survives a power cut: the disk, the cash machine, the platform."""

    plan: RefundPlan
    folder: Path
    fuse: Fuse = field(default_factory=Fuse)
    cut: bool = False
    lives: int = 1
    done: Reconciled | None = None
    acts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.office = VoidingOffice(fuse=self.fuse, void_habit=self.plan.void)
        self.cash = CashMachine(dict(self.plan.drums))
        self.cash.fuse = self.fuse
        self.cash.sensor_fails = self.plan.sensor_fails
        self.content_at_start = self.cash.content_fen
        self.journal = self._open_journal()
        self._settle_and_approve()
        self.fuse.burnt.clear()

    def _open_journal(self) -> FusedJournal:
        journal = FusedJournal(self.folder, lambda: datetime(2026, 11, 21, 10, 20, tzinfo=UTC))
        journal.fuse = self.fuse
        return journal

    def _settle_and_approve(self) -> None:
        settlement = Settlement("s-m0", "m0", BILL.visit_number, QUOTE)
        self.office.booked["m0"] = settlement
        card = KioskInMemory().reader.identity.card_number
        facts = payment_facts(settlement, BILL.bill_id, "lease-1")
        intent = {"message_id": "m0", "visit_number": BILL.visit_number}
        paid = balanced((Account.CASH_BOX, CASH), (Account.HOSPITAL, -CASH))
        self.journal.commit(NewEntry("settle_intent", "000777", intent, card, opens="m0"))
        seq = self.journal.commit(NewEntry("settled", "000777", facts, card, paid, closes="m0"))
        approved: dict[str, str | int] = {"counter": "1001", "approver": "1002", "settled": seq}
        self.journal.commit(NewEntry(APPROVED, "000777", approved, card))

    async def live(self) -> None:
        """The holder's visit, until it ends or the power goes."""
        kiosk = KioskInMemory(dict(SCRIPT), self.office, self.cash, self.journal)
        try:
            async with trio.open_nursery() as nursery:
                await recover_cash(self.journal, CountingClock(), self.cash)
                nursery.start_soon(kiosk.supervisor.run)
                await kiosk.supervisor.wait_tried()
                kiosk.reader.insert()
                kiosk.desk.visit = Visit(kiosk.reader.identity, kiosk.reader.holder, "000001", pin_verified=True)
                with contextlib.suppress(Back, ResidentLeft):
                    await take_refund(kiosk.desk)
                nursery.cancel_scope.cancel()
        except* PowerCut:
            self.cut = True

    async def recover(self) -> None:
        self.journal.close()
        self.fuse.left = None
        self.cash.breaks = trio.Event()
        self.cash.boot()
        self.journal = self._open_journal()
        self.lives += 1
        clock = MorningClock(self.lives)
        await recover_cash(self.journal, clock, self.cash)
        recover_books(self.journal, clock)

    async def reconcile(self) -> None:
        kiosk = KioskInMemory()
        books = Books(self.journal, MorningClock(self.lives), self.office, kiosk.settings)
        self.done = await reconcile_day(books, DAY)

    def balances(self) -> dict[Account, Fen]:
        postings: list[Posting] = []
        for entry in self.journal.entries():
            postings += entry.postings
        return totals(postings)


async def live_a_refund(plan: RefundPlan, cut_at: int | None) -> RefundWorld:
    """The visit, cut after ``cut_at`` effects; recovery; the day after. Checked after each."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        world = RefundWorld(plan, Path(folder))
        world.fuse.left = cut_at
        await world.live()
        outlet = world.cash.outlet
        check_refund(world)
        await world.recover()
        assert world.cash.outlet == outlet, "recovery paid somebody"
        check_refund(world, resting=True)
        await world.reconcile()
        check_refund(world, resting=True)
        check_known(world)
        world.acts = [entry.act for entry in world.journal.entries()]
        world.journal.close()
        return world


def check_refund(world: RefundWorld, *, resting: bool = False) -> None:
    """Money rules 15, 17 and 18 over journal, cash machine and platform; ``resting``: nobody stands there any more."""
    books = world.balances()
    assert sum(books.values()) == 0, books
    assert not resting or not books.get(Account.RESIDENT), books
    undone = bool(world.office.undone)
    assert undone or not world.cash.outlet, "cash before 2208"
    assert len(world.office.undone) <= 1
    assert world.cash.dispenses <= 1
    if not world.plan.sensor_fails:
        # What the holder lost by it is what somebody owes them, or what the hospital still has.
        owed = -sum(books.get(one, 0) for one in (Account.HOSPITAL, Account.HOLDER_DEBT, Account.SUSPENSE))
        assert not resting or owed == CASH - world.cash.outlet, (books, world.cash.outlet)
    assert verify(open_read_only(world.folder / "journal.db"), None).whole


def check_known(world: RefundWorld) -> None:
    """The day after, what became of 2208 is known, on both sides the same."""
    assert not [one for one in world.journal.open_effects() if one.act == "refund_intent"]
    acts = [entry.act for entry in world.journal.entries()]
    assert ("refunded" in acts or "refunded_late" in acts) == bool(world.office.undone), acts
    assert world.done is not None
    assert (world.done.findings, world.done.open) == ((), 0), world.done
    assert (world.balances().get(Account.HOSPITAL, 0) == 0) == bool(world.office.undone)
