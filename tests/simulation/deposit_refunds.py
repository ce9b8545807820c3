"""A deposit given back to its holder, lived once, cut at any effect, recovered and driven, every book compared."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import trio
from msgspec import structs

from kiosk.domain.books import Account, Posting, balanced, totals
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import Fen
from kiosk.domain.settlement import StatementRow
from kiosk.domain.statement import BankRow, DebtActRow, DepositRow
from kiosk.money.bank_record import act_key, bank_facts, open_act, open_acts
from kiosk.money.drive_bank import drive_bank
from kiosk.money.drive_deposits import drive_deposits
from kiosk.money.recover import recover_books, recover_cash
from kiosk.money.refundable import APPROVED
from kiosk.money.run_reconciliation import Books, Reconciled, reconcile_day
from kiosk.money.undo_deposit import INTENT
from kiosk.ports import Back, ResidentLeft, Visit
from kiosk.services.take_refund import take_refund
from kiosk.settings.config import HostSettings
from offline_queue.staff_books import StaffBooks
from offline_queue.verify import open_read_only, verify
from tests.bank.stand import account
from tests.flows.bank import BankOffice
from tests.flows.fittings import FakeReader
from tests.flows.hospital import HospitalOffice, deliver_all
from tests.flows.money import CashMachine, Fuse, FusedJournal, PowerCut
from tests.flows.owed import NOW
from tests.flows.people import KioskInMemory
from tests.simulation.days_after import DAY, MorningClock
from tests.simulation.refunds import SCRIPT
from tests.simulation.settlements import LaterClock

DEPOSIT, BALANCE = 20_000, 100_000
CODE = "000777"
CARD = FakeReader().identity.card_number


@dataclass(frozen=True)
class Plan:
    """``undo``: undoes | refuses | undoes_silently | ignores. ``refused``: the hospital has refused it late, so that
    its card's money waits in suspense. ``paid_on``: F13 of the purchase; "" counts as today."""

    name: str
    undo: str = "undoes"
    drums: tuple[tuple[int, int], ...] = ((5000, 9),)
    by_card: bool = False
    refused: bool = False
    paid_on: str = ""
    lost: tuple[tuple[str, int], ...] = ()  # answers of the bank (MTI) that never arrive
    sensor_fails: bool = False
    ends: str = "dispensed"


def files_of(bank: BankOffice) -> tuple[BankRow, ...]:
    """The bank counts days by its own clock; here all that it has is of the day."""
    rows = bank.host.books.sql.execute(
        "SELECT batch, trace, kind, amount_fen, reference, state FROM act WHERE state != 'never' ORDER BY trace"
    ).fetchall()
    return tuple(BankRow(*row) for row in rows)


@dataclass
class Files:
    """What the hospital tells of the day: the bank's file, and its own detail of deposits."""

    plan: Plan
    office: HospitalOffice
    bank: BankOffice

    async def statement(self, day: date, serial_first: int, serial_last: int) -> tuple[StatementRow, ...]:
        return ()

    async def bank_statement(self, day: date, terminal_id: str) -> tuple[BankRow, ...]:
        return files_of(self.bank) if day == DAY else ()

    async def deposits_detail(self, days: tuple[date, date]) -> tuple[DepositRow, ...]:
        means = "bank_card" if self.plan.by_card else "cash"
        acts = [] if self.plan.refused else [("credited", "deposit-1")]
        acts += [("undone", key) for key in self.office.undone.values()]
        return tuple(DepositRow(act, key, "ZY1", Fen(DEPOSIT), means, "YJ1", DAY) for act, key in acts)

    async def debts_detail(self, days: tuple[date, date]) -> tuple[DebtActRow, ...]:
        told = zip(self.office.told, self.office.registered.values(), strict=True)
        return tuple(DebtActRow("registered", key, debt.voucher_number, debt.amount_fen, DAY) for key, debt in told)


@dataclass
class World:
    """All that survives a power cut: disk, cash machine, hospital, bank."""

    plan: Plan
    folder: Path
    fuse: Fuse = field(default_factory=Fuse)
    cut: bool = False
    lives: int = 1
    done: Reconciled | None = None
    acts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        plan = self.plan
        self.office = HospitalOffice(fuse=self.fuse, undo_habit=plan.undo)
        self.cash = CashMachine(dict(plan.drums))
        self.cash.fuse, self.cash.sensor_fails = self.fuse, plan.sensor_fails
        self.bank = BankOffice(self.folder / "bank", account(balance_fen=BALANCE), self.fuse)
        self.journal = self._open_journal()

    def _open_journal(self) -> FusedJournal:
        journal = FusedJournal(self.folder, lambda: NOW)
        journal.fuse = self.fuse
        return journal

    async def begin(self) -> None:
        """Paid in a while ago; two of staff have agreed to give it back."""
        facts: dict[str, str | int] = {
            "key": "deposit-1", "admission": "ZY1", "department": "d", "amount_fen": DEPOSIT, "chip": "00",
        }  # fmt: skip
        source, closes = Account.CASH_BOX, ""
        if self.plan.by_card:
            client = self.bank.power_on(self.journal, lambda: (CODE, CARD))
            payment = await client.purchase(Fen(DEPOSIT), client.new_trace_number())
            facts |= bank_facts(replace(payment, paid_on=self.plan.paid_on))
            at_bank = open_act(self.journal, payment.trace_number)
            assert at_bank is not None
            source, closes = Account.BANK_CLEARING, act_key(at_bank)
        act, place = "deposited", Account.HOSPITAL
        if self.plan.refused:
            act, place = "deposit_refused_late", Account.SUSPENSE
        moved = balanced((source, DEPOSIT), (place, -DEPOSIT))
        self.journal.commit(NewEntry("deposit_intent", CODE, facts, CARD, opens="deposit-1", closes=closes))
        seq = self.journal.commit(NewEntry(act, CODE, facts, CARD, moved, closes="deposit-1"))
        approved: dict[str, str | int] = {"counter": "1001", "approver": "1002", "settled": seq}
        self.journal.commit(NewEntry(APPROVED, CODE, approved, CARD))
        self.bank.mute.update(dict(self.plan.lost))
        self.fuse.burnt.clear()

    async def live(self) -> None:
        """The holder's visit, until it ends or the power goes."""
        kiosk = KioskInMemory(dict(SCRIPT), self.office, self.cash, self.journal, bank=self.bank)
        kiosk.desk.clock = LaterClock(self.lives)
        try:
            async with trio.open_nursery() as nursery:
                await recover_cash(self.journal, kiosk.desk.clock, self.cash)
                nursery.start_soon(kiosk.supervisor.run)
                await kiosk.supervisor.wait_tried()
                kiosk.reader.insert()
                kiosk.desk.visit = Visit(kiosk.reader.identity, kiosk.reader.holder, "000001", pin_verified=True)
                with contextlib.suppress(Back, ResidentLeft):
                    await take_refund(kiosk.desk)
                nursery.cancel_scope.cancel()
        except* PowerCut:
            self.cut = True

    async def restart(self) -> None:
        """Power and hosts are back: recovery, and everything that is unknown is driven."""
        self.journal.close()
        self.fuse.left = None
        self.cash.breaks = trio.Event()
        self.cash.boot()
        self.journal = self._open_journal()
        self.lives += 1
        clock: Any = LaterClock(self.lives)
        if self.office.undo_habit != "refuses":
            self.office.undo_habit = "undoes"
        self.bank.mute.clear()
        await recover_cash(self.journal, clock, self.cash)
        recover_books(self.journal, clock)
        for _ in range(2):
            await drive_deposits(self.journal, clock, self.office)
            await drive_bank(self.journal, self.bank.power_on(self.journal, lambda: ("", "")), lambda *_, **__: None)
        await deliver_all(self.journal, self.office)

    async def reconcile(self) -> None:
        """The morning after: the hospital's own detail, and the bank's file, which closes what 0400 could not."""
        settings = structs.replace(KioskInMemory().settings, hosts={"bank": HostSettings(url="tls://127.0.0.1:1")})
        files = Files(self.plan, self.office, self.bank)
        self.done = await reconcile_day(Books(self.journal, MorningClock(self.lives), files, settings), DAY)

    def balances(self) -> dict[Account, Fen]:
        postings: list[Posting] = []
        for entry in self.journal.entries():
            postings += entry.postings
        return totals(postings)


async def live_a_refund(plan: Plan, cut_at: int | None) -> World:
    """The visit, cut after ``cut_at`` effects; recovery and driving; all books compared."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        world = World(plan, Path(folder))
        await world.begin()
        world.fuse.left = cut_at
        await world.live()
        outlet = world.cash.outlet
        await world.restart()
        assert world.cash.outlet == outlet, "recovery paid somebody"
        check(world)
        await world.reconcile()
        check(world)
        check_morning(world)
        world.acts = [entry.act for entry in world.journal.entries()]
        world.journal.close()
        world.bank.close()
        return world


def check(world: World) -> None:
    """Money rules 15, 17 and 18 over journal, cash machine, hospital, register and bank."""
    books, plan = world.balances(), world.plan
    owed = {one: -books.get(one, 0) for one in (Account.HOSPITAL, Account.HOLDER_DEBT, Account.SUSPENSE)}
    undone = bool(world.office.undone)
    assert sum(books.values()) == 0, books
    assert not books.get(Account.RESIDENT), books
    assert undone or not world.cash.outlet, "cash before the hospital took it off the stay"
    assert world.cash.dispenses <= 1
    assert not [one for one in world.journal.open_effects() if one.act == INTENT]
    assert owed[Account.HOSPITAL] == (0 if undone or plan.refused else DEPOSIT), books
    if plan.by_card:
        # What the bank still has is the hospital's, or waits in suspense to go back: never a debt in notes.
        if not open_acts(world.journal):
            assert world.bank.taken_fen == books.get(Account.BANK_CLEARING, 0), (books, world.bank.acts)
            assert owed[Account.SUSPENSE] == (world.bank.taken_fen if undone or plan.refused else 0), books
        assert (owed[Account.HOLDER_DEBT], world.cash.dispenses) == (0, 0)
    elif not plan.sensor_fails:
        assert sum(owed.values()) == DEPOSIT - world.cash.outlet, (books, world.cash.outlet)
        assert world.office.owed_fen == owed[Account.HOLDER_DEBT], "the register knows every debt"
    assert verify(open_read_only(world.folder / "journal.db"), None).whole


def check_morning(world: World) -> None:
    """Nothing is unknown any more, both hosts' files agree, and the case of what went back is closed by that."""
    assert not open_acts(world.journal), "an act at the bank outlived its file"
    assert world.done is not None
    assert (world.done.findings, world.done.open) == ((), 0), world.done
    books = StaffBooks(world.folder)
    cases = books.open_cases()
    books.close()
    suspense = world.balances().get(Account.SUSPENSE, 0)
    assert sum(case.suspense_fen for case in cases) == suspense, cases
    assert bool(cases) == bool(suspense), cases
