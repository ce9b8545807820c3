"""When the platform still owes an answer about a person, and when it no longer does (money-rules 21)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk.domain.entries import Facts, NewEntry
from kiosk.domain.money import Fen
from kiosk.domain.settlement import InsuredPerson
from kiosk.money.asked_before import insist_nothing_is_asked
from kiosk.ports import HostRefused
from offline_queue.journal import SqliteJournal

PERSON = InsuredPerson("psn-1", "410100", "310", in_force=True, balance_fen=Fen(0))
CASE = "451207"
SETTLING = NewEntry("settle_intent", CASE, {"message_id": "m0", "person_number": "psn-1"}, opens="m0")
REVERSING = NewEntry("reversal_intent", CASE, {"message_id": "m1", "original": "m0"}, opens="m1")
ANSWERED = NewEntry("reversal_answered", CASE, {"message_id": "m1"}, closes="m1")
REFUSED = NewEntry("reversal_refused", CASE, {"message_id": "m1"}, closes="m1")
SETTLED = NewEntry("settled_late", CASE, {"message_id": "m0"}, closes="m0")
DUE = NewEntry("settled_unpaid", CASE, {"message_id": "m0", "person_number": "psn-1"}, opens="due:m0", closes="m0")
UNDONE = NewEntry("settle_undone", CASE, {"message_id": "m0"}, closes="due:m0")
REFUNDING = NewEntry("refund_intent", CASE, {"message_id": "m2", "person_number": "psn-1"}, opens="m2")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "story",
    [(SETTLING,), (SETTLING, REVERSING), (SETTLING, REVERSING, SETTLED), (SETTLING, DUE), (REFUNDING,)],
    ids=["2207", "2601", "2601 of what was found after all", "2208 to come", "2208 of a refund"],
)
def test_the_person_waits(story: tuple[NewEntry, ...], journal: SqliteJournal) -> None:
    """Nothing more is asked for them; others are not held up."""
    for entry in story:
        journal.commit(entry)
    with pytest.raises(HostRefused, match="still_asked"):
        insist_nothing_is_asked(journal, PERSON)
    other = InsuredPerson("psn-2", "410100", "310", in_force=True, balance_fen=Fen(0))
    insist_nothing_is_asked(journal, other)
    assert journal.open_effects()


@pytest.mark.parametrize(
    "story",
    [(), (SETTLING, REVERSING, ANSWERED), (SETTLING, REVERSING, REFUSED), (SETTLING, SETTLED), (SETTLING, DUE, UNDONE)],
    ids=["nothing", "2601 answered", "2601 refused", "found", "undone"],
)
def test_the_person_is_free_again(story: tuple[NewEntry, ...], journal: SqliteJournal) -> None:
    """Once 2601 is answered, though only the day's detail says what became of the 2207."""
    for entry in story:
        journal.commit(entry)
    insist_nothing_is_asked(journal, PERSON)
    facts: list[Facts] = [entry.facts or {} for entry in journal.open_effects()]
    assert all(one["message_id"] == "m0" for one in facts)
