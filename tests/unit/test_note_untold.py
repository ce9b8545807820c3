"""A cash module that fell silent over a note, or over notes that it was moving, and afterwards knows nothing of them.

Found by the simulation (histories in which devices fall silent just after an intent).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk.domain.cash import CashEvent, DispenseResult, Recovery, Returned, Stacked
from kiosk.domain.entries import Facts, NewEntry
from kiosk.domain.money import Fen
from kiosk.money.recover import book_finding, recover_books, recover_cash
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


OTHER_CARD, OTHER_CASE = "B00000132", "000002"


def two_notes(journal: SqliteJournal) -> None:
    """The first is lost from sight since an earlier start, and waits for people; the second moves now."""
    lost: Facts = {"denomination_fen": 5000, "note": "n1", "card_number": CARD}
    journal.commit(NewEntry("note_intent", CASE, lost, CARD, opens="note:n1"))
    recover_books(journal, CountingClock())
    moves: Facts = {"denomination_fen": 5000, "note": "n2", "card_number": OTHER_CARD}
    journal.commit(NewEntry("note_intent", OTHER_CASE, moves, OTHER_CARD, opens="note:n2"))


@pytest.mark.parametrize(
    ("told", "act"),
    [(Stacked(Fen(5000), "cash_box", "c-1"), "note_credited"), (Returned(None, taker_known=False), "note_returned")],
)
def test_a_note_without_a_name_is_the_one_that_moved_last(journal: SqliteJournal, told: CashEvent, act: str) -> None:
    """What a device tells of it is booked for its own holder, never for whoever's note was lost from sight before."""
    two_notes(journal)
    book_finding(journal, CountingClock(), told)
    assert [entry.act for entry in journal.story(OTHER_CASE)] == ["note_intent", act]
    assert [entry.case_code for entry in journal.open_effects()] == [CASE]


def test_of_a_note_lost_before_the_last_one_no_device_tells(journal: SqliteJournal) -> None:
    """The newer one is booked already: a note that comes back now closes nothing of the older one's case."""
    two_notes(journal)
    book_finding(journal, CountingClock(), Stacked(Fen(5000), "cash_box", "c-1", "n2"))
    book_finding(journal, CountingClock(), Returned(None, taker_known=False))
    assert [entry.case_code for entry in journal.open_effects()] == [CASE]


class Validator:
    """A module that asks for the value of the note in doubt, because it has none of its own."""

    asked: Fen | None = None

    async def recover(self, epoch: str, in_doubt: Fen | None = None) -> Recovery:
        self.asked = in_doubt
        return Recovery()

    def acknowledge(self, recovery: Recovery) -> None:
        """Nothing to forget."""


async def test_the_value_in_doubt_is_that_of_the_newest_note(journal: SqliteJournal) -> None:
    """A validator that only says "stacked" is told the value of the note that moved, not of one lost weeks ago."""
    lost: Facts = {"denomination_fen": 10000, "note": "n1"}
    journal.commit(NewEntry("note_intent", CASE, lost, CARD, opens="note:n1"))
    recover_books(journal, CountingClock())
    journal.commit(NewEntry("note_intent", OTHER_CASE, {"denomination_fen": 1000, "note": "n2"}, opens="note:n2"))
    module = Validator()
    await recover_cash(journal, CountingClock(), module)  # type: ignore[arg-type]  # all that it asks of one
    assert module.asked == 1000
