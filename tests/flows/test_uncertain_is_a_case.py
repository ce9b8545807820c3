"""Money-rules 2: every uncertain fen is a case that staff can see, from the commit on that makes it uncertain."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced, totals
from kiosk.domain.cases import OpenCase
from kiosk.domain.cash import DispenseResult, Mix
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import Fen
from offline_queue.journal import SqliteJournal
from offline_queue.staff_books import LEFT_INSIDE, StaffBooks
from tests.bank.stand import account
from tests.flows.bank import BankOffice
from tests.flows.money import CashMachine
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


TOLD_LATE = DispenseResult((), (), 0, 0, False, reason="dispensed", presented_sum=Fen(4000))


async def test_a_result_that_comes_while_notes_go_in_reaches_its_case(
    autojump_clock: MockClock, terminal: Terminal
) -> None:
    """Of a dispense that was called uncertain: its story says so, its suspense waits for people, and nobody is paid."""
    terminal.cash.sensor_fails = True
    await terminal.visit("settle_medical_bill", (10_000,), **CASH)
    terminal.cash.sensor_fails = False
    terminal.cash.untold.clear()
    before = terminal.balances[Account.SUSPENSE]
    await terminal.visit(
        "pay_inpatient_deposit", (10_000, 10_000), prepare=lambda kiosk: terminal.cash.tell(TOLD_LATE), **CASH
    )
    late = next(one for one in terminal.journal.entries() if one.act == "dispense_told_late")
    assert (late.case_code, (late.facts or {})["paid_fen"]) == ("000001", 4000)
    assert terminal.balances[Account.SUSPENSE] == before


class TellsOfThePast(CashMachine):
    """Just before it says what came of a dispense it tells of one of an earlier life."""

    async def dispense(self, dispense_id: str, mix: Mix) -> None:
        self.tell(replace(TOLD_LATE, presented_sum=Fen(1000)))
        await super().dispense(dispense_id, mix)


async def test_a_result_of_another_dispense_ends_none_of_ours(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Ours is booked by its own counts."""
    terminal.cash = TellsOfThePast({1000: 9})
    await terminal.visit("settle_medical_bill", (10_000,), **CASH)
    (paid,) = [one for one in terminal.journal.entries() if one.act == "dispensed"]
    assert (paid.facts or {})["paid_fen"] == terminal.cash.outlet == 4000
    assert terminal.balances.get(Account.SUSPENSE, 0) == 0


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
