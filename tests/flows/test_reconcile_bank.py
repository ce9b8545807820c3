"""The bank's file of the day: it closes acts that nobody knew of, and what differs is a case."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from kiosk.domain.books import Account
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import Fen
from kiosk.domain.statement import BankRow, Difference
from kiosk.money.bank_record import INTENT, open_acts
from kiosk.money.platform_acts import judged_on
from kiosk.money.run_reconciliation import Books, Reconciled, reconcile_day
from kiosk.ports.money import BankIntent
from kiosk.settings.config import HostSettings, Settings
from offline_queue.journal import SqliteJournal
from offline_queue.staff_books import StaffBooks
from tests.flows.duty import WallClock
from tests.flows.test_staff_reconcile import HospitalsDetails

BATCH = "000001"
AMOUNT = 6_000


class Terminal:
    """A journal with acts at the bank, and the hospital that has its file."""

    def __init__(self, folder: Path) -> None:
        self.clock = WallClock()
        self.journal = SqliteJournal(folder, self.clock.now)
        self.staff = StaffBooks(folder)
        self.details = HospitalsDetails()
        bank = {"bank": HostSettings(url="tls://127.0.0.1:1")}
        self.settings = structs.replace(Settings(run_dir="", data_dir=""), hosts=bank)
        self.day: date = judged_on(self.clock.now())
        for day in (self.day, self.day - timedelta(days=1)):
            self.details.days[day] = []

    def begins(self, trace: str, kind: str = "purchase", code: str = "451207") -> None:
        intent = BankIntent(kind, trace, BATCH, Fen(AMOUNT), "000000", "051", "6" * 19, "3012", "01")
        self.journal.commit(NewEntry(INTENT, code, intent.facts(), "C1", opens=f"bank:{BATCH}:{trace}"))

    def ends(self, trace: str, act: str, code: str = "451207") -> None:
        name = "bank_trace_number" if act == "settled" else "trace_number"
        self.journal.commit(NewEntry(act, code, {name: trace}, "C1", closes=f"bank:{BATCH}:{trace}"))

    def booked(self, trace: str, state: str = "booked", kind: str = "purchase", fen: int = AMOUNT) -> None:
        self.details.banked.setdefault(self.day, []).append(BankRow(BATCH, trace, kind, Fen(fen), "R", state))

    async def reconcile(self) -> Reconciled:
        return await reconcile_day(Books(self.journal, self.clock, self.details, self.settings), self.day)

    def balances(self) -> dict[Account, Fen]:
        return dict(self.staff.balances())


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.staff.close()
    made.journal.close()


async def test_paid_reversed_and_refused_agree(terminal: Terminal) -> None:
    """Each as the bank has it: booked, reversed, and never heard of."""
    for trace, act in (("000001", "settled"), ("000002", "bank_reversed"), ("000003", "bank_refused")):
        terminal.begins(trace)
        terminal.ends(trace, act)
    terminal.booked("000001")
    terminal.booked("000002", "reversed")
    done = await terminal.reconcile()
    assert (done.agree, done.findings) == (3, ())


@pytest.mark.parametrize("state", ["", "reversed"])
async def test_an_unanswered_reversal_ends_when_the_bank_has_nothing(terminal: Terminal, state: str) -> None:
    """Never heard of, or reversed: the act is closed and blocks the bank no more; nothing moved."""
    terminal.begins("000001")
    if state:
        terminal.booked("000001", state)
    done = await terminal.reconcile()
    assert (done.proved, done.findings) == (1, ())
    assert not open_acts(terminal.journal)
    assert terminal.balances() == {}


@pytest.mark.parametrize(("kind", "sign"), [("purchase", 1), ("void", -1), ("refund", -1)])
async def test_what_stands_at_the_bank_is_in_suspense(terminal: Terminal, kind: str, sign: int) -> None:
    """Nobody asked for it to stand: a person has the case, and the bank is free again."""
    terminal.begins("000001", kind)
    terminal.booked("000001", kind=kind)
    await terminal.reconcile()
    assert not open_acts(terminal.journal)
    assert terminal.balances() == {Account.BANK_CLEARING: sign * AMOUNT, Account.SUSPENSE: -sign * AMOUNT}
    assert [case.code for case in terminal.staff.open_cases()] == ["451207"]


async def test_what_differs_is_told(terminal: Terminal) -> None:
    """A payment that the bank reversed, another amount, and a purchase that we called refused."""
    for trace, act in (("000001", "settled"), ("000002", "settled"), ("000003", "bank_refused")):
        terminal.begins(trace, code=f"45120{trace[-1]}")
        terminal.ends(trace, act, code=f"45120{trace[-1]}")
    terminal.booked("000001", "reversed")
    terminal.booked("000002", fen=AMOUNT + 1)
    terminal.booked("000003")
    found = {(one.case_code, one.difference) for one in (await terminal.reconcile()).findings}
    assert found == {
        ("451201", Difference.UNDONE_THERE),
        ("451202", Difference.AMOUNTS_DIFFER),
        ("451203", Difference.THERE_NOT_HERE),
    }
