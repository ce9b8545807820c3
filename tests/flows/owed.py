"""A terminal with a real journal, a recycler and a hospital in memory, where residents collect what they are owed."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import trio

from kiosk.domain.books import Account, totals
from kiosk.domain.money import Fen
from kiosk.domain.settlement import HOSPITAL
from kiosk.money.debts import DebtRegisters
from kiosk.money.recover import recover_cash
from kiosk.ports import Back, Kiosk, Outcome, ResidentLeft, Visit
from kiosk.ports.money import DebtRegister, Hospital
from kiosk.services.collect_money import collect_money
from kiosk.services.collect_receipt import collect_receipt
from kiosk.services.pay_inpatient_deposit import pay_inpatient_deposit
from kiosk.services.settle_medical_bill import settle_medical_bill
from offline_queue.journal import SqliteJournal
from tests.flows.bank import BankOffice
from tests.flows.fittings import FakeReader
from tests.flows.hospital import HospitalOffice
from tests.flows.money import CashMachine
from tests.flows.people import CountingClock, KioskInMemory

NOW = datetime(2026, 11, 21, 10, 24, tzinfo=UTC)
SERVICES: dict[str, Callable[[Kiosk], Awaitable[Outcome]]] = {
    "pay_inpatient_deposit": pay_inpatient_deposit,
    "collect_money": collect_money,
    "collect_receipt": collect_receipt,
    "settle_medical_bill": settle_medical_bill,
}
SCRIPT: dict[str, Any] = {
    "choose_deposit": "20000",
    "confirm_deposit": "pay",
    "confirm_payout": "pay",
    "choose_bill": "B1",
    "confirm_quote": "pay",
    "card_not_paid": "undo",
}
UNDERSTOOD = (
    "bill_settled bill_not_paid outcome_pending"
    " no_stay deposit_credited deposit_pending host_refused host_silent device_out no_debts register_silent"
    " debt_reserved debt_changed debt_not_in_notes debt_paid payout_uncertain payout_failed no_receipts receipt_printed"
    " receipt_not_printed"
)


class ManyVisits(CountingClock):
    """Keys never come twice, in however many visits."""


class Terminal:
    """Each ``visit`` is a new kiosk with new devices' tasks over the same journal, cash and hospital."""

    def __init__(self, folder: Path, drums: dict[int, int] | None = None) -> None:
        self.journal = SqliteJournal(folder, lambda: NOW)
        self.cash = CashMachine({1000: 9, 500: 4, 100: 9} if drums is None else drums)
        self.office = HospitalOffice()
        self.clock = ManyVisits()
        self.visits = 0
        self.bank: BankOffice | None = None
        self.hosts_named: tuple[str, ...] = ()
        self.hospital: Hospital = self.office
        self.register: DebtRegister = self.office
        self.registers: DebtRegisters | None = None  # None: the hospital's alone
        self.make_reader: type[FakeReader] = FakeReader
        self.kiosk = self.new_kiosk({})

    def new_kiosk(self, script: dict[str, Any]) -> KioskInMemory:
        said = SCRIPT | dict.fromkeys(UNDERSTOOD.split(), "understood") | script
        kiosk = KioskInMemory(
            said, self.office, self.cash, self.journal, self.hosts_named, self.make_reader(), self.bank
        )
        kiosk.desk.clock = self.clock
        registers = self.registers or DebtRegisters({HOSPITAL: self.register})
        kiosk.desk.hospital, kiosk.desk.debt_register = self.hospital, registers
        return kiosk

    async def visit(
        self,
        service: str,
        notes: tuple[int, ...] = (),
        prepare: Callable[[KioskInMemory], None] | None = None,
        **script: Any,
    ) -> Outcome | None:
        """One resident with the one card, PIN verified; None: they went back or left."""
        self.visits += 1
        self.kiosk = kiosk = self.new_kiosk(script)
        self.cash.breaks = trio.Event()
        self.cash.boot()
        self.cash.pocket = [Fen(note) for note in notes]
        if prepare:
            prepare(kiosk)
        outcome = None
        async with trio.open_nursery() as nursery:
            await recover_cash(self.journal, self.clock, self.cash)
            nursery.start_soon(kiosk.supervisor.run)
            await kiosk.supervisor.wait_tried()
            kiosk.reader.insert()
            code = f"{self.visits:06d}"
            kiosk.desk.visit = Visit(kiosk.reader.identity, kiosk.reader.holder, code, pin_verified=True)
            with contextlib.suppress(Back, ResidentLeft):
                outcome = await SERVICES[service](kiosk.desk)
            self.journal.record("service_ended", code, service=service)
            nursery.cancel_scope.cancel()
        return outcome

    @property
    def acts(self) -> list[str]:
        return [entry.act for entry in self.journal.entries()]

    @property
    def balances(self) -> dict[Account, Fen]:
        return totals([posting for entry in self.journal.entries() for posting in entry.postings])

    @property
    def papers(self) -> list[list[str]]:
        """Lines of what the printer of the newest visit put out."""
        return [[line.words for line in paper.lines] for paper in self.kiosk.receipts.papers]
