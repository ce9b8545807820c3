"""Money-rules 2: every uncertain fen is a case that staff can see, from the commit on that makes it uncertain."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced, totals
from kiosk.domain.cases import OpenCase
from kiosk.domain.entries import NewEntry
from offline_queue.journal import SqliteJournal
from offline_queue.staff_books import LEFT_INSIDE, StaffBooks
from tests.bank.stand import account
from tests.flows.bank import BankOffice
from tests.flows.owed import NOW, Terminal

CASH: dict[str, Any] = {"choose_means": "cash"}
CARD: dict[str, Any] = {"choose_means": "bank_card", "deposit_bank_silent": "understood"}
REFUSED_FIGURES: dict[str, Any] = {"figures_changed": "refuse", **CASH}
Prepare = Callable[[Terminal], None]


class WatchedJournal(SqliteJournal):
    """After each commit somebody looks: the cases, and what is uncertain by the journal itself."""

    def commit(self, entry: NewEntry) -> int:
        seq = super().commit(entry)
        self.unseen += sorted(uncertain(self) - {case.code for case in self.books().open_cases()})
        return seq

    def books(self) -> StaffBooks:
        if self._books is None:
            self._books = StaffBooks(self.folder)
        return self._books

    folder: Path
    unseen: list[str]
    _books: StaffBooks | None = None


def uncertain(journal: SqliteJournal) -> set[str]:
    """Codes of cases with an act without an outcome, or with a fen in suspense."""
    found = {entry.case_code for entry in journal.open_effects()}
    for code in {entry.case_code for entry in journal.entries()}:
        held = totals(posting for entry in journal.story(code) for posting in entry.postings)
        found |= {code} if held.get(Account.SUSPENSE) else set()
    return found


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path / "journal")
    made.journal.close()
    made.journal = watched = WatchedJournal(tmp_path / "journal", lambda: NOW)
    watched.folder, watched.unseen = tmp_path / "journal", []
    made.bank = BankOffice(tmp_path / "bank", account(balance_fen=100_000))
    yield made
    watched.books().close()
    made.journal.close()
    made.bank.close()


def _office(**habits: Any) -> Prepare:
    def prepare(terminal: Terminal) -> None:
        for name, value in habits.items():
            setattr(terminal.office, name, value)

    return prepare


def _bank(**mute: int) -> Prepare:
    def prepare(terminal: Terminal) -> None:
        assert terminal.bank is not None
        terminal.bank.mute |= {name.removeprefix("mti_"): times for name, times in mute.items()}

    return prepare


def _sensor(terminal: Terminal) -> None:
    terminal.cash.sensor_fails = True


@pytest.mark.parametrize(
    ("prepare", "service", "notes", "script", "shows"),
    [
        (_office(behaviour="ignores"), "settle_medical_bill", (5000, 1000), CASH, "settle_intent"),
        (_office(behaviour="hangs"), "settle_medical_bill", (5000, 1000), CASH, "settle_intent"),
        (
            _office(behaviour="changes", void_is_silent=True),
            "settle_medical_bill",
            (5000, 1000),
            REFUSED_FIGURES,
            "void_intent",
        ),
        (_bank(mti_0200=1, mti_0400=9), "settle_medical_bill", (), CARD, "bank_intent"),
        (_sensor, "settle_medical_bill", (10_000,), CASH, ""),
        (_office(deposit_habit="ignores"), "pay_inpatient_deposit", (10_000, 10_000), CASH, "deposit_intent"),
        (_office(deposit_habit="ignores"), "pay_inpatient_deposit", (), CARD, "deposit_intent"),
        (_bank(mti_0200=1, mti_0400=9), "pay_inpatient_deposit", (), CARD, "bank_intent"),
        (_sensor, "collect_money", (), {}, ""),
    ],
    ids=[
        "2207 silent", "2207 hangs", "2208 silent", "0200 silent", "dispense", "deposit silent",
        "deposit by card silent", "0200 of a deposit silent", "dispense of a debt",
    ],
)  # fmt: skip
async def test_whatever_ends_unknown_is_a_case(
    prepare: Prepare,
    service: str,
    notes: tuple[int, ...],
    script: dict[str, Any],
    shows: str,
    autojump_clock: MockClock,
    terminal: Terminal,
) -> None:
    """At every commit on the way, and when the resident has gone: what nobody knows, staff can see. ``shows``: the act
    without an outcome; "": its money is in suspense."""
    debt = terminal.office.owes(2500)
    prepare(terminal)
    await terminal.visit(service, notes, choose_debt=debt.voucher_number, **script)
    watched = terminal.journal
    assert isinstance(watched, WatchedJournal)
    assert watched.unseen == []
    (case,) = [one for one in watched.books().open_cases() if one.code == "000001"]
    assert shows in case.effects if shows else case.suspense_fen


async def test_what_a_dead_life_left_inside_is_a_case(tmp_path: Path) -> None:
    """The power went with a note inside, and the cash module never comes back: nothing gives the note an owner yet."""
    journal = SqliteJournal(tmp_path, lambda: NOW)
    journal.record("kiosk_started")
    inside = balanced((Account.CASH_BOX, 5000), (Account.RESIDENT, -5000))
    journal.commit(NewEntry("note_credited", "451207", {"denomination_fen": 5000}, "C1", inside))
    books = StaffBooks(tmp_path)
    assert books.open_cases() == (), "its visit is going on"
    journal.record("kiosk_started")
    (case,) = books.open_cases()
    assert case == OpenCase("451207", case.since, effects=(LEFT_INSIDE,))
    owed = balanced((Account.RESIDENT, 5000), (Account.HOLDER_DEBT, -5000))
    journal.commit(NewEntry("debt_owed", "451207", {"amount_fen": 5000}, "C1", owed))
    assert books.open_cases() == ()
    books.close()
    journal.close()
