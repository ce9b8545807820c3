"""One resident's settlement, lived once, cut at any effect, restarted, recovered, and every book compared."""

from __future__ import annotations

import contextlib
import tempfile
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import trio

from kiosk.domain.books import Account, Posting, totals
from kiosk.domain.money import Fen
from kiosk.money.bank_record import open_acts
from kiosk.money.drive_bank import drive_bank
from kiosk.money.drive_due import drive_due
from kiosk.money.drive_unknown import drive_unknown
from kiosk.money.due import DUE
from kiosk.money.recover import recover_books, recover_cash
from kiosk.ports import Back, ResidentLeft, Visit
from kiosk.services.settle_medical_bill import settle_medical_bill
from offline_queue.verify import open_read_only, verify
from tests.bank.stand import account
from tests.flows.bank import BankOffice
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
    "choose_means": "bank_card",
    "card_not_paid": "undo",
    "bill_not_paid": "understood",
    "cannot_pay_here": "back",
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
    bank: bool = False  # the terminal has one, and the card an account there
    cash_module: bool = True
    lost_at_bank: tuple[tuple[str, int], ...] = ()  # answers to these message types, and how often
    refuse_code: str = ""  # of the bank, to everything
    pull_at: int = 0  # the card is pulled before this GENERATE AC


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
        self.bank = self._open_bank() if self.plan.bank else None
        self.journal = self._open_journal()
        self.cut = False
        self.lives = 1
        self.acts: list[str] = []

    def _open_bank(self) -> BankOffice:
        bank = BankOffice(self.folder, account(balance_fen=100_000), self.fuse, mute=dict(self.plan.lost_at_bank))
        bank.weather.change(refuse_code=self.plan.refuse_code)
        bank.reader.pull_at = self.plan.pull_at
        return bank

    def _open_journal(self) -> FusedJournal:
        journal = FusedJournal(self.folder, lambda: datetime(2026, 11, 21, tzinfo=UTC))
        journal.fuse = self.fuse
        return journal

    async def live(self) -> None:
        """The resident's visit, until it ends or the power goes."""
        cash = self.cash if self.plan.cash_module else None
        kiosk = KioskInMemory(
            SCRIPT | deepcopy(dict(self.plan.script)), self.office, cash, self.journal, bank=self.bank
        )
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
                await self._drive(clock)
                await trio.sleep(60)

    async def _drive(self, clock: LaterClock) -> None:
        """What the kiosk does between visits."""
        await drive_unknown(self.journal, clock, self.office)
        if self.bank is not None:
            nobody = ("", "")
            await drive_bank(self.journal, self.bank.power_on(self.journal, lambda: nobody), lambda *_, **__: None)
        await drive_due(self.journal, clock, self.office)

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
    if world.bank is not None:
        check_bank(world, world.bank, books)
    # 2. What the books hold is what the machine holds.
    held = books.get(Account.CASH_BOX, 0) + books.get(Account.DRUMS, 0)
    if not plan.sensor_fails:
        assert held == world.cash.content_fen - world.drums_at_start, (books, world.cash.content_fen)
    # 3. The resident lost exactly what somebody owes for: hospital, debt or suspense.
    lost = fed - world.cash.outlet
    owed = -sum(books.get(account, 0) for account in (Account.HOSPITAL, Account.HOLDER_DEBT, Account.SUSPENSE))
    owed -= books.get(Account.BANK_CLEARING, 0)  # what the bank has for us, or may have
    if not plan.sensor_fails:
        assert lost == owed, (lost, books)
    assert not books.get(Account.SURPLUS) and not books.get(Account.SHORTAGE), books
    # 4. One 2207 at most, in every life.
    assert world.office.settles <= 1
    # 5. The platform booked: then the books say settled, or an effect is still open for it. Never the opposite.
    acts = [entry.act for entry in world.journal.entries()]
    booked = bool(world.office.booked)
    settled = "settled" in acts or "settled_late" in acts
    unknown = any(entry.act in ("settle_intent", DUE) for entry in world.journal.open_effects())
    assert settled or unknown or not booked, acts
    assert not settled or booked, acts
    # 6. Nothing is dispensed twice, and change never before SETTLED.
    assert world.cash.dispenses <= 1
    # 7. The chain is whole.
    assert verify(open_read_only(world.folder / "journal.db"), None).whole


def check_bank(world: World, bank: BankOffice, books: dict[Account, Fen]) -> None:
    """The bank has our money exactly if the books say so, or an act of it is open and in suspense or still tried."""
    at_bank = sum(amount for kind, state, amount in bank.acts if (kind, state) == ("purchase", "booked"))
    uncertain = open_acts(world.journal)
    acts = [entry.act for entry in world.journal.entries()]
    assert at_bank == bank.taken_fen, "the bank's own books"
    assert not uncertain or "bank_suspended" in acts, acts  # a person has the case
    assert uncertain or at_bank == books.get(Account.BANK_CLEARING, 0), (bank.acts, books)
    assert uncertain or books.get(Account.SUSPENSE, 0) == 0 or not at_bank, books
    assert not at_bank or uncertain or "settled" in acts, acts
    # Never both means, and never a payment for a settlement that is undone.
    assert "settle_undone" not in acts or not at_bank, (acts, bank.acts)
    assert bank.host.heard.count("0200 000000") <= acts.count("bank_intent"), "asked without an intent"


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
        if world.bank is not None:
            world.bank.close()
        return world
