"""A cash module that fell silent over a note, or over notes that it was moving, and afterwards knows nothing of them.

Found by the simulation (histories in which devices fall silent just after an intent).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk.domain.cash import DispenseResult
from kiosk.domain.entries import Facts, NewEntry
from kiosk.domain.money import Fen
from kiosk.money.recover import book_finding, recover_books
from offline_queue.journal import SqliteJournal
from offline_queue.staff_books import StaffBooks
from tests.flows.people import CountingClock

CARD = "B00000131"
CASE = "000001"
IN_THE_DISPENSER = DispenseResult(((Fen(1000), 3),), (), 0, 3, certain=False, reason="cut_while_dispensing")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    yield opened
    opened.close()


def test_a_note_of_which_nobody_knows_is_a_case_that_waits_for_staff(journal: SqliteJournal) -> None:
    """After recovery it counts as lost from sight, once: its intent stays open, and the box may be opened to look."""
    note: Facts = {"denomination_fen": 5000, "note": "n1"}
    journal.commit(NewEntry("note_intent", CASE, note, CARD, opens="note:n1"))
    recover_books(journal, CountingClock())
    recover_books(journal, CountingClock())
    assert [entry.act for entry in journal.story(CASE)] == ["note_intent", "note_uncertain"]
    assert (journal.story(CASE)[-1].facts or {})["note"] == "n1"
    assert [entry.act for entry in journal.open_effects()] == ["note_intent"]


def test_notes_in_the_dispenser_that_nobody_asks_for_open_no_case(journal: SqliteJournal, tmp_path: Path) -> None:
    """The payout was booked before the power went; what the device tells at each start moves no money, closes nothing
    and gives people nothing to close."""
    paid: Facts = {"key": "k1", "paid_fen": 3000, "unaccounted_fen": 0}
    journal.commit(NewEntry("dispensed", CASE, paid, CARD))
    for _ in range(2):
        book_finding(journal, CountingClock(), IN_THE_DISPENSER)
    assert [entry.act for entry in journal.entries()] == ["dispensed", "dispense_told_again", "dispense_told_again"]
    books = StaffBooks(tmp_path)
    assert not books.open_cases()
    books.close()
