"""Deposits, payouts of debts and owed receipts: lived once, cut at any effect, recovered, and every book compared."""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio

from kiosk.domain.books import Account, Posting, totals
from kiosk.domain.entries import Facts, NewEntry
from kiosk.domain.money import Fen
from kiosk.domain.receipt import PaperReceipt
from kiosk.money.bank_record import open_acts
from kiosk.money.drive_bank import drive_bank
from kiosk.money.drive_deposits import drive_deposits
from kiosk.money.receipts_owed import receipts_owed
from kiosk.money.recover import recover_books, recover_cash
from kiosk.ports import Back, ResidentLeft, Visit
from offline_queue.verify import open_read_only, verify
from tests.bank.stand import account
from tests.flows.bank import BankOffice
from tests.flows.fittings import FakeReader, FakeReceiptPrinter
from tests.flows.hospital import HospitalOffice, deliver_all
from tests.flows.money import CashMachine, Fuse, FusedJournal, PowerCut
from tests.flows.owed import NOW, SCRIPT, SERVICES, UNDERSTOOD
from tests.flows.people import KioskInMemory
from tests.simulation.settlements import LaterClock


def _nobody() -> tuple[str, str]:
    return "", ""


CARD = FakeReader().identity.card_number
REPRINT = "补打"


class FusedPrinter(FakeReceiptPrinter):
    """The power may go before paper moves, and before anybody hears that it came out. The paper stays."""

    fuse: Fuse

    async def print_receipt(self, receipt: PaperReceipt) -> None:
        self.fuse.burn("print asked")
        await super().print_receipt(receipt)
        self.fuse.burn("print answered")


@dataclass(frozen=True)
class Plan:
    """What happens in one world. ``debts``: what the register keeps from the start."""

    name: str
    service: str
    notes: tuple[int, ...] = ()
    drums: tuple[tuple[int, int], ...] = ((1000, 9), (500, 4), (100, 9))
    debts: tuple[int, ...] = ()
    deposit_habit: str = "credits"
    register_habit: str = "answers"
    script: tuple[tuple[str, Any], ...] = ()
    before: tuple[tuple[str, Facts], ...] = ()  # acts of an earlier visit, in the journal from the start
    bank: bool = False  # the card has an account, and pays
    lost_at_bank: tuple[tuple[str, int], ...] = ()  # answers to these message types, and how often
    sensor_fails: bool = False
    busy_times: int = 0
    ends: str = ""  # an act that stands in the journal of the uncut life
    outlet: int = 0  # what the resident finds in the outlet after the uncut life


@dataclass
class World:
    """All that survives a power cut: disk, cash machine, paper, hospital and the resident's pocket."""

    plan: Plan
    folder: Path
    fuse: Fuse = field(default_factory=Fuse)

    def __post_init__(self) -> None:
        plan = self.plan
        self.office = HospitalOffice(deposit_habit=plan.deposit_habit, fuse=self.fuse)
        self.office.register_habit = plan.register_habit
        for amount in plan.debts:
            self.office.owes(amount)
        self.cash = CashMachine(dict(plan.drums))
        self.cash.fuse = self.fuse
        self.cash.sensor_fails, self.cash.busy_times = plan.sensor_fails, plan.busy_times
        self.cash.pocket = [Fen(note) for note in plan.notes]
        self.content_at_start = self.cash.content_fen
        self.printer = FusedPrinter()
        self.printer.fuse = self.fuse
        self.lives = 0
        self.cut = False
        self.ended_with: list[str] = []
        self.bank = self._open_bank() if plan.bank else None
        self.journal = self._open_journal()
        for act, facts in plan.before:
            self.journal.commit(NewEntry(act, "900001", facts, CARD))
        self.fuse.burnt.clear()

    def _open_journal(self) -> FusedJournal:
        journal = FusedJournal(self.folder, lambda: NOW)
        journal.fuse = self.fuse
        return journal

    def _open_bank(self) -> BankOffice:
        return BankOffice(self.folder, account(balance_fen=100_000), self.fuse, mute=dict(self.plan.lost_at_bank))

    async def visit(self, service: str, **script: Any) -> None:
        """The resident's visit, until it ends or the power goes."""
        self.lives += 1
        said = SCRIPT | dict.fromkeys(UNDERSTOOD.split(), "understood") | deepcopy(dict(self.plan.script)) | script
        kiosk = KioskInMemory(said, self.office, self.cash, self.journal, bank=self.bank, receipts=self.printer)
        kiosk.desk.clock = LaterClock(self.lives)
        code = f"{self.lives:06d}"
        try:
            async with trio.open_nursery() as nursery:
                await recover_cash(self.journal, kiosk.desk.clock, self.cash)
                nursery.start_soon(kiosk.supervisor.run)
                await kiosk.supervisor.wait_tried()
                kiosk.reader.insert()
                kiosk.desk.visit = Visit(kiosk.reader.identity, kiosk.reader.holder, code, pin_verified=True)
                with contextlib.suppress(Back, ResidentLeft):
                    await SERVICES[service](kiosk.desk)
                self.journal.record("service_ended", code, service=service)
                nursery.cancel_scope.cancel()
        except* PowerCut:
            self.cut = True

    async def restart(self, cut_at: int | None = None) -> None:
        """Power is back: recovery, and the hospital hears what it is owed. May be cut in its turn."""
        self.journal.close()
        self.fuse.left = cut_at
        self.cash.breaks = trio.Event()
        self.cash.boot()
        self.journal = self._open_journal()
        self.lives += 1
        clock = LaterClock(self.lives)
        with contextlib.suppress(PowerCut):
            await drive_deposits(self.journal, clock, self.office)  # before the cash module has told: touches nothing
            await recover_cash(self.journal, clock, self.cash)
            recover_books(self.journal, clock)
            for _ in range(3):
                await drive_deposits(self.journal, clock, self.office)
                if self.bank is not None:
                    await drive_bank(self.journal, self.bank.power_on(self.journal, _nobody), lambda *_, **__: None)
            await deliver_all(self.journal, self.office)

    async def get_papers(self) -> None:
        """The same card again and again, until nothing is owed to it on paper."""
        for _ in range(5):
            owed = receipts_owed(self.journal, CARD)
            if not owed:
                return
            self.journal.record("visit_opened", "")
            await self.visit("collect_receipt", choose_receipt=[str(one.paper) for one in owed])
        raise AssertionError("papers that never end")

    def balances(self) -> dict[Account, Fen]:
        postings: list[Posting] = []
        for entry in self.journal.entries():
            postings += entry.postings
        return totals(postings)

    @property
    def acts(self) -> list[str]:
        return [entry.act for entry in self.journal.entries()]


def check_books(world: World) -> None:
    """Every money rule that can be seen from outside: journal, cash machine, hospital, register."""
    books, plan, office = world.balances(), world.plan, world.office
    owed = {name: -books.get(name, 0) for name in (Account.HOSPITAL, Account.HOLDER_DEBT, Account.SUSPENSE)}
    # 1. Double entry, and nobody's money is nobody's.
    assert sum(books.values()) == 0, books
    assert books.get(Account.RESIDENT, 0) == 0, books
    assert not books.get(Account.SURPLUS) and not books.get(Account.SHORTAGE), books
    # 2. What the books hold is what the machine holds; what the resident lacks, somebody owes.
    fed = sum(plan.notes) - sum(world.cash.pocket)
    if not plan.sensor_fails:
        held = books.get(Account.CASH_BOX, 0) + books.get(Account.DRUMS, 0)
        assert held == world.cash.content_fen - world.content_at_start, books
        at_bank = books.get(Account.BANK_CLEARING, 0)
        assert fed - world.cash.outlet == sum(owed.values()) - at_bank, (books, world.cash.outlet)
    # 3. The hospital credits a deposit once, whoever told it how often; nothing is open once it answered.
    assert len(office.deposits) <= 1
    assert sum(office.deposits.values()) == owed[Account.HOSPITAL], books
    assert not [one for one in world.journal.open_effects() if one.act in ("deposit_intent", "payout_intent")]
    # 4. The register: every debt of ours is there, and what surely went out is not there any more.
    assert owed[Account.SUSPENSE] >= 0, books
    if world.bank is not None:
        _check_bank(world, world.bank, owed[Account.SUSPENSE])
    else:
        assert ("dispense_uncertain" in world.acts) is bool(owed[Account.SUSPENSE]), books
    if owed[Account.SUSPENSE]:
        assert len(office.reserved_by) == (1 if plan.debts else 0), office.reserved_by
    else:
        assert office.owed_fen == sum(plan.debts) + owed[Account.HOLDER_DEBT], (books, office.registered)
        assert office.reserved_by == {}
    # 5. Nothing is dispensed twice.
    assert world.cash.dispenses <= 1
    assert verify(open_read_only(world.folder / "journal.db"), None).whole


def _check_bank(world: World, bank: BankOffice, suspense: int) -> None:
    """The bank has taken what the books say, or a person has the case; in suspense is what is not back yet."""
    if open_acts(world.journal):
        assert "bank_suspended" in world.acts, world.acts
        return
    assert bank.taken_fen == world.balances().get(Account.BANK_CLEARING, 0), bank.acts
    assert bank.taken_fen in (sum(world.office.deposits.values()), suspense), (bank.acts, world.office.deposits)
    refused = {"deposit_refused", "deposit_refused_late", "bank_stands"} & set(world.acts)
    assert not suspense or refused, world.acts


def check_papers(world: World) -> None:
    """Who gave money or got some has it on paper; no second copy without its mark."""
    copies = [[line.words for line in paper.lines] for paper in world.printer.papers]
    told = {"note_credited", "dispensed", "dispense_uncertain", *(act for act, _ in world.plan.before)}
    assert copies or not told & set(world.acts), world.acts
    assert receipts_owed(world.journal, CARD) == ()
    first = Counter(f"{lines[0]} {number_of(lines)}" for lines in copies if REPRINT not in lines)
    assert all(count == 1 for count in first.values()), copies


def number_of(lines: list[str]) -> str:
    return next(line for line in lines if "编号" in line)


async def run_plan(plan: Plan, cut_at: int | None, cuts_in_recovery: tuple[int, ...] = ()) -> World:
    """Live a plan in a new world, cut after ``cut_at`` effects, recover (perhaps cut again), check, print the rest."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        world = World(plan, Path(folder))
        world.fuse.left = cut_at
        await world.visit(plan.service)
        outlet_before = world.cash.outlet
        for again in cuts_in_recovery:
            await world.restart(again)
        world.office.deposit_habit = "refuses" if plan.deposit_habit == "refuses" else "credits"
        await world.restart()
        assert world.cash.outlet == outlet_before, "recovery paid somebody"
        check_books(world)
        await world.get_papers()
        check_papers(world)
        check_books(world)
        world.ended_with = world.acts
        world.journal.close()
        return world
