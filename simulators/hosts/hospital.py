"""Sandbox of the hospital whose lobby this is. ``docs/hosts/hospital.yaml``. INVENTED in form."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from simulators.cards.chip import build_number
from simulators.hosts.bank_books import settlement_file
from simulators.hosts.debt_register import SCHEMA as DEBTS_SCHEMA
from simulators.hosts.debt_register import DebtDesk
from simulators.hosts.hospital_books import AT_THE_WINDOW, SCHEMA, ClaimBook
from simulators.hosts.hospital_detail import SCHEMA as DETAIL_SCHEMA
from simulators.hosts.hospital_detail import Means, TerminalActs, receipt_number
from simulators.hosts.hospital_questions import (
    BankStatementAsked,
    ClaimAsked,
    DepositAsked,
    DepositUndone,
    DetailAsked,
    Extended,
    Held,
    Paid,
    StatementAsked,
    Undone,
    Who,
)
from simulators.hosts.medical_insurance import CHINA, batch_of, visit_of
from simulators.hosts.medical_insurance_books import Books, Row
from simulators.hosts.medical_insurance_split import classes_of
from simulators.hosts.receipt_records import SCHEMA as RECORDS_SCHEMA
from simulators.hosts.receipt_records import RecordDesk
from simulators.hosts.receipt_register import SCHEMA as RECEIPTS_SCHEMA
from simulators.hosts.receipt_register import ReceiptDesk
from simulators.hosts.sandbox import Ask, Refusal, Reply, Route, Sandbox, json_reply, question, required_key
from simulators.hosts.sandbox import route as to
from simulators.hosts.weather import Weather
from simulators.worlds.world import BillEntry, Resident, World

LEASE = timedelta(minutes=10)
LEASE_SETTLING = timedelta(hours=48)  # outlasts 10:00 of the next day, when every unknown must be resolved
INVOICES_AT = "https://invoice.example/view"
DETAIL_DAYS_MAX = 31


class HospitalSandbox(Sandbox):
    name = "hospital"
    read_beside = True
    schema = SCHEMA + DEBTS_SCHEMA + DETAIL_SCHEMA + RECEIPTS_SCHEMA + RECORDS_SCHEMA

    def __init__(
        self, world: World, directory: Path, weather: Weather, clock: Callable[[], datetime] | None = None
    ) -> None:
        super().__init__(world, directory, weather, clock)
        self._directory = directory
        self.claims = ClaimBook(self.books)
        self.acts = TerminalActs(self.books)
        self._debt_desk = DebtDesk(self.books, lambda: self.clock(), self._note_debt)
        self.debts = self._debt_desk.book
        self.receipts = ReceiptDesk(self.books)
        self.records = RecordDesk(self.books)
        self._owe_from_the_start()

    def routes(self) -> list[Route]:
        return [
            to("POST", "/v1/unpaid-bills", self._bills),
            to("POST", "/v1/claims", self._claim),
            to("POST", "/v1/claims/extend", self._extend),
            to("POST", "/v1/claims/release", self._release),
            to("POST", "/v1/payments", self._paid),
            to("POST", "/v1/payments/undone", self._undone),
            to("POST", "/v1/admission", self._admission),
            to("POST", "/v1/deposits", self._deposit),
            to("POST", "/v1/deposits/undone", self._undo_deposit),
            to("POST", "/v1/deposits/detail", self._deposits_detail),
            to("POST", "/v1/debts/detail", self._debts_detail),
            to("POST", "/v1/statement", self._statement),
            to("POST", "/v1/bank-statement", self._bank_statement),
            *self._debt_desk.routes(),
            *self.receipts.routes(),
            *self.records.routes(),
        ]

    def pay_at_window(self, bill_id: str) -> None:
        """A person pays the bill at the counter, whatever a terminal is doing with it."""
        total = self._bill(bill_id).total_fen
        self.claims.pay(bill_id, f"{AT_THE_WINDOW}-{bill_id}", ("", ""), AT_THE_WINDOW, (total, total), self.clock())

    # --- bills ----------------------------------------------------------------------------------------------------

    def _bills(self, ask: Ask) -> Reply:
        resident = self._resident(question(ask, Who))
        unpaid = [bill for bill in resident.bills if self.claims.payment(bill.id) is None]
        return json_reply({"bills": [_shown(bill) for bill in unpaid]})

    def _claim(self, ask: Ask) -> Reply:
        bill_id = question(ask, ClaimAsked).bill_id
        self._bill(bill_id)
        if self.weather.window_pays and self.claims.payment(bill_id) is None:
            self.pay_at_window(bill_id)
        return self._leased(bill_id, required_key(ask))

    def _extend(self, ask: Ask) -> Reply:
        held = question(ask, Extended)
        self._bill(held.bill_id)
        return self._leased(held.bill_id, held.lease_key, LEASE_SETTLING if held.settling else LEASE)

    def _leased(self, bill_id: str, lease_key: str, lease: timedelta = LEASE) -> Reply:
        """Taken, or taken for longer. A lease that ran out is taken anew if nobody else came."""
        if self.claims.payment(bill_id) is not None:
            raise Refusal(409, "paid_elsewhere", "这张账单已经付过了")
        now = self.clock()
        if self.claims.holder(bill_id, now) not in ("", lease_key):
            raise Refusal(409, "claimed_elsewhere", "这张账单正在别处办理")
        self.claims.hold(bill_id, lease_key, now + lease)
        return json_reply({"bill_id": bill_id, "leased_until": (now + lease).isoformat()})

    def _release(self, ask: Ask) -> Reply:
        held = question(ask, Held)
        self.claims.let_go(held.bill_id, held.lease_key)
        return json_reply({"done": True})

    def _paid(self, ask: Ask) -> Reply:
        """Money that the platform has settled is taken whatever became of the lease; only a paid bill is not."""
        paid, key = question(ask, Paid), required_key(ask)
        bill = self._bill(paid.bill_id)
        parts = paid.fund_fen + paid.account_fen + paid.shared_account_fen + paid.cash_fen + paid.hospital_fen
        if visit_of(bill) != paid.visit_number or not bill.total_fen == paid.total_fen == parts:
            raise Refusal(409, "amounts_differ", "金额与账单不一致")
        before = self.claims.payment(paid.bill_id)
        if before is None:
            settlement, fen = (paid.settlement_id, paid.message_id), (paid.total_fen, paid.cash_fen)
            self.claims.pay(paid.bill_id, key, settlement, paid.means, fen, self.clock())
            before = self.claims.payment(paid.bill_id)
            assert before is not None
        elif (before.key, before.settlement_id) != (key, paid.settlement_id):
            raise Refusal(409, "paid_elsewhere", "这张账单已经付过了")
        code = f"{self.world.city}{before.serial:012d}"
        return json_reply({"invoice_code": code, "invoice_address": f"{INVOICES_AT}/{code}"})

    def _undone(self, ask: Ask) -> Reply:
        undone = question(ask, Undone)
        self._bill(undone.bill_id)
        self.claims.undo(required_key(ask), undone.bill_id, undone.settlement_id, undone.message_id)
        return json_reply({"done": True})

    def _admission(self, ask: Ask) -> Reply:
        resident = self._resident(question(ask, Who))
        if not resident.admission:
            return json_reply({"admission": None})
        stay = {
            "number": resident.admission,
            "department": resident.admission_department,
            "admitted_on": resident.admitted_on,
            "deposited_fen": self.claims.deposited_fen(resident.admission),
        }
        return json_reply({"admission": stay})

    def _deposit(self, ask: Ask) -> Reply:
        asked, key = question(ask, DepositAsked), required_key(ask)
        resident = self._resident(asked)
        if not resident.admission or resident.admission != asked.admission:
            raise Refusal(404, "no_such_admission", "未查到住院信息")
        serial = self.claims.deposit(key, asked.admission, asked.amount_fen, self.clock())
        self.acts.note("deposited", key, asked.terminal_id, self.clock())
        if asked.means:
            paid = asked.bank
            numbers = (paid.batch_number, paid.trace_number, paid.reference) if paid else ()
            self.acts.note_means(key, Means(asked.means, *numbers))
        return json_reply({"receipt_number": receipt_number(serial)})

    def _undo_deposit(self, ask: Ask) -> Reply:
        """As long as the holder stays here: afterwards it is part of the final bill."""
        asked, key = question(ask, DepositUndone), required_key(ask)
        if asked.admission not in {resident.admission for resident in self.world.residents}:
            raise Refusal(409, "stay_settled", "已出院结算，请到窗口办理")
        self.claims.undo_deposit(key, asked.deposit_key, asked.admission, asked.amount_fen)
        self.acts.note("undone", key, asked.terminal_id, self.clock())
        return json_reply({"done": True})

    def _deposits_detail(self, ask: Ask) -> Reply:
        asked = self._detail_asked(ask)
        return _detail(asked, self.acts.deposits(asked.terminal_id, asked.first_day, asked.last_day))

    def _debts_detail(self, ask: Ask) -> Reply:
        asked = self._detail_asked(ask)
        return _detail(asked, self.acts.debts(asked.terminal_id, asked.first_day, asked.last_day))

    def _detail_asked(self, ask: Ask) -> DetailAsked:
        asked = question(ask, DetailAsked)
        if not 0 <= (asked.last_day - asked.first_day).days < DETAIL_DAYS_MAX:
            raise Refusal(400, "bad_request", "日期范围不正确")
        self._must_be_final(asked.last_day)
        return asked

    def _statement(self, ask: Ask) -> Reply:
        """The hospital has reconciled (3202) as soon as the day is over; here it reads the platform's own file."""
        asked = question(ask, StatementAsked)
        self._must_be_final(asked.day)
        serials = range(asked.serial_first, asked.serial_last + 1)
        rows = [row for row in self._platform_rows() if row.settled_at[:10] == asked.day.isoformat()]
        ours = [_stated(row) for row in rows if int(row.msgid[-4:]) in serials]
        return json_reply({"day": asked.day.isoformat(), "rows": ours})

    def _must_be_final(self, day: date) -> None:
        """A day is reconciled once it is over; whoever lives the next day in one sitting turns ``day_is_over`` on."""
        if self.clock().astimezone(CHINA).date() <= day and not self.weather.day_is_over:
            raise Refusal(409, "not_reconciled_yet", "当日尚未对账")

    def _bank_statement(self, ask: Ask) -> Reply:
        """The bank's own file, out of its books beside ours; a world without a bank has an empty one."""
        asked = question(ask, BankStatementAsked)
        self._must_be_final(asked.day)
        rows = [_banked(line) for line in self._bank_file(asked.day) if line.startswith(f"{asked.terminal_id}|")]
        return json_reply({"day": asked.day.isoformat(), "rows": rows})

    def _bank_file(self, day: date) -> list[str]:
        path = self._directory / "bank.sqlite"
        if not path.exists():
            return []
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return settlement_file(connection, day.isoformat()).splitlines()[1:]

    def _platform_rows(self) -> list[Row]:
        path = self._directory / "medical_insurance.sqlite"
        if not path.exists():
            return []
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return Books(connection).standing()

    # --- debts ----------------------------------------------------------------------------------------------------

    def _note_debt(self, act: str, key: str, terminal_id: str) -> None:
        self.acts.note(act, key, terminal_id, self.clock())

    def _owe_from_the_start(self) -> None:
        """What the world says that the register keeps; by its keys once, however often the world is opened."""
        for resident in self.world.residents:
            card = next((build_number(one) for one in self.world.cards if one.resident == resident.handle), "")
            for number, debt in enumerate(resident.debts if card else ()):
                key = f"world-{resident.handle.replace('_', '-')}-{number}"
                self.debts.register(key, card, debt.amount_fen, debt.reason)

    # --- who ------------------------------------------------------------------------------------------------------

    def _resident(self, asked: Who) -> Resident:
        card = next((card for card in self.world.cards if build_number(card) == asked.card_number), None)
        if card is None:
            raise Refusal(404, "no_such_person", "未查到就诊信息")
        resident = self.world.resident(card.resident)
        # A chip may hold no number at all; one that holds another person's is a case for the counter.
        if asked.social_security_number not in ("", resident.number):
            raise Refusal(409, "holder_differs", "卡内信息与登记不一致,请到窗口办理")
        return resident

    def _bill(self, bill_id: str) -> BillEntry:
        for resident in self.world.residents:
            for bill in resident.bills:
                if bill.id == bill_id:
                    return bill
        raise Refusal(404, "no_such_bill", "未查到账单")


def _shown(bill: BillEntry) -> dict[str, Any]:
    classes = classes_of(bill)
    return {
        "bill_id": bill.id,
        "department": bill.department,
        "visited_on": bill.visited_on,
        "total_fen": bill.total_fen,
        "lines": [{"name": line.name, "quantity": line.quantity, "amount_fen": line.amount_fen} for line in bill.lines],
        "visit_number": visit_of(bill),
        "batch_number": batch_of(bill),
        "medical_kind": bill.medical_kind,
        "own_expense_fen": classes.own_expense,
        "over_limit_fen": classes.over_limit,
        "first_self_pay_fen": classes.first_self_pay,
        "in_scope_fen": classes.in_scope,
    }


def _detail(asked: DetailAsked, rows: list[dict[str, Any]]) -> Reply:
    days = {"first_day": asked.first_day.isoformat(), "last_day": asked.last_day.isoformat()}
    return json_reply({**days, "rows": rows})


def _stated(row: Row) -> dict[str, Any]:
    return {
        "message_id": row.msgid,
        "settlement_id": row.setl_id,
        "visit_number": row.mdtrt_id,
        "agrees": True,
        "undoing": bool(row.undoes),
        "total_fen": row.total,
        "fund_fen": row.fund,
        "account_fen": row.account,
    }


def _banked(line: str) -> dict[str, Any]:
    _, batch, trace, kind, _, fen, reference, _, state = line.split("|")
    return {
        "batch_number": batch,
        "trace_number": trace,
        "kind": kind,
        "amount_fen": int(fen),
        "reference": reference,
        "state": state,
    }
