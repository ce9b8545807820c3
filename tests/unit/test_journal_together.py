"""Several acts in one commit: all of them or none, in order, each with its own effects and notices."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest

from kiosk.domain.books import Account, Posting, Unbalanced, balanced
from kiosk.domain.entries import AlreadyClosed, NewEntry, NewNotice
from offline_queue.append import SIGNED_EVERY
from offline_queue.head import signed_head
from offline_queue.journal import SqliteJournal
from offline_queue.outbox import COMMIT_ROWS_MAX
from offline_queue.verify import verify


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path, lambda: datetime(2026, 11, 22, tzinfo=UTC))
    opened.record("kiosk_started")
    yield opened
    opened.close()


def acts(count: int) -> list[NewEntry]:
    notices = (NewNotice("hospital", "payment", "key-1", {}, 700),)
    moved = balanced((Account.CASH_BOX, 700), (Account.RESIDENT, -700))
    named = [NewEntry("settle_intent", "451207", opens="settle:1"), NewEntry("credited", "451207", postings=moved)]
    last = NewEntry("settled", "451207", {"setl_id": "1"}, "C1", closes="settle:1", notices=notices)
    return [*named, *[NewEntry("something", "", {"number": number}) for number in range(count - 3)], last]


def test_acts_of_one_commit_are_rows_of_their_own(journal: SqliteJournal) -> None:
    """They stand in order under one link each; effects close what opened before them, purses and notices are kept."""
    assert journal.commit_together(acts(COMMIT_ROWS_MAX)) == 1 + COMMIT_ROWS_MAX
    entries = journal.entries()
    assert [entry.seq for entry in entries] == list(range(1, COMMIT_ROWS_MAX + 2))
    assert (entries[1].act, entries[-1].act) == ("settle_intent", "settled")
    assert journal.open_effects() == []
    assert [(entry.act, fen) for entry, fen in journal.unspent()] == [("credited", 700)]
    assert journal.outbox.unsent_count() == 1
    connection = journal.database.connection()
    assert verify(connection, journal._root.signing.public_key(), root=journal._root).whole
    assert signed_head(connection).seq > COMMIT_ROWS_MAX - SIGNED_EVERY


@pytest.mark.parametrize(
    ("wrong", "raises"),
    [
        (NewEntry("settled", closes="never opened"), AlreadyClosed),
        (NewEntry("settled", postings=(Posting(Account.CASH_BOX, 5),)), Unbalanced),  # type: ignore[arg-type]  # fen
        (NewEntry("settle_intent", opens="settle:1"), apsw.ConstraintError),
    ],
    ids=["closed twice", "unbalanced", "opened twice"],
)
def test_one_that_is_wrong_leaves_nothing_of_any(
    journal: SqliteJournal, wrong: NewEntry, raises: type[Exception]
) -> None:
    """What the others would have written is not there either, and the next commit follows as if nothing had been."""
    first = [NewEntry("settle_intent", "451207", opens="settle:1")]
    with pytest.raises(raises):
        journal.commit_together([*first, wrong])
    assert [entry.act for entry in journal.entries()] == ["kiosk_started"]
    assert journal.open_effects() == []
    assert journal.commit_together(first) == 2
    assert verify(journal.database.connection(), None).whole


@pytest.mark.parametrize("count", [0, COMMIT_ROWS_MAX + 1])
def test_a_commit_is_bounded(journal: SqliteJournal, count: int) -> None:
    """The other writer waits for one commit, so none is longer than fifty rows, and none is empty."""
    with pytest.raises(AssertionError):
        journal.commit_together([NewEntry("something")] * count)
    assert len(journal.entries()) == 1
