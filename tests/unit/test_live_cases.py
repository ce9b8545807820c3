"""Whose turn an unknown outcome is, read from the journal alone.

The second test was found by the simulation: an order whose visit the power had ended led to a settlement that was due,
and nobody undid it until the kiosk began anew once more.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk.domain.entries import NewEntry
from kiosk.money.live_cases import live_cases
from offline_queue.journal import SqliteJournal

CARD = "B00000131"
CASE = "000001"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    opened.record("kiosk_started")
    opened.record("visit_opened", CASE)
    yield opened
    opened.close()


def begin(journal: SqliteJournal) -> None:
    """An effect of the case that waits for somebody to drive it."""
    journal.commit(NewEntry("settled_unpaid", CASE, {"message_id": "M1"}, CARD, opens="due:M1"))


def test_an_effect_is_its_visits_until_the_visit_ends(journal: SqliteJournal) -> None:
    """While the resident stands there nobody else drives it; afterwards somebody must."""
    begin(journal)
    assert live_cases(journal) == {CASE}
    journal.record("visit_closed", CASE)
    assert live_cases(journal) == set()


def test_a_visit_that_the_power_ended_drives_nothing_that_begins_later(journal: SqliteJournal) -> None:
    """What an order of that visit leads to in the next life is nobody's visit's."""
    journal.record("kiosk_started")
    begin(journal)
    assert live_cases(journal) == set()
