"""The journal of acts and the notices that hosts are owed."""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest

from offline_queue.journal import SqliteJournal
from offline_queue.schema import JournalUnusable
from offline_queue.sealing import SealBroken, Sealer

CARD = "B00000131"


def open_journal(folder: Path) -> SqliteJournal:
    return SqliteJournal(folder, lambda: datetime(2026, 11, 21, tzinfo=UTC))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = open_journal(tmp_path)
    yield opened
    opened.close()


def test_acts_come_back_in_order_after_a_restart(tmp_path: Path) -> None:
    """What was recorded is there for the next process, in the order of ``seq``, and the chain holds."""
    first = open_journal(tmp_path)
    first.record("visit_opened", "000001", card_spec="2.00")
    first.record("visit_closed", "000001", how="stopped")
    first.close()
    second = open_journal(tmp_path)
    assert [act for _, act, _, _ in second.acts()] == ["visit_opened", "visit_closed"]
    assert second.broken_link() is None
    second.close()


@pytest.mark.parametrize("change", ["update act set facts='{}' where seq=2", "delete from act where seq=2"])
def test_changed_or_missing_row_breaks_the_chain(tmp_path: Path, change: str) -> None:
    """An edit behind the journal's back is found at the row it touches."""
    journal = open_journal(tmp_path)
    for count in range(4):
        journal.record("step", "", count=count)
    journal.close()
    connection = apsw.Connection(str(tmp_path / "journal.db"))
    connection.execute(change)
    connection.close()
    again = open_journal(tmp_path)
    assert again.broken_link() in (2, 3)
    again.close()


def test_notice_stays_owed_until_it_is_told(journal: SqliteJournal) -> None:
    """A notice is owed over failed tries, and gone with its content once the host took it."""
    journal.owe_notice("card_platform", "pin_changed", "key-1", card_number=CARD, at="2026-11-21T10:00:00+08:00")
    journal.notice_unanswered("key-1")
    owed = journal.next_notice()
    assert owed is not None
    assert (owed.key, owed.tries, owed.facts["card_number"]) == ("key-1", 1, CARD)
    journal.notice_ended("key-1", "told")
    assert journal.next_notice() is None
    assert journal.notices_owed() == 0


def test_no_card_number_stands_in_the_files(tmp_path: Path) -> None:
    """A notice may name a card, but nothing on the disk shows it; the search does find what is not sealed."""
    journal = open_journal(tmp_path)
    journal.owe_notice("card_platform", "pin_changed", "key-1", card_number=CARD)
    journal.close()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"key-1" in written
    assert CARD.encode() not in written


def test_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The sealing key is made once, with mode 0600."""
    open_journal(tmp_path).close()
    key = tmp_path / "journal.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    open_journal(tmp_path).close()
    assert key.read_bytes() == before


def test_sealed_bytes_belong_to_their_row(tmp_path: Path) -> None:
    """Sealed content moved to another row does not open."""
    sealer = Sealer.at(tmp_path / "key")
    sealed = sealer.seal(b"content", "row-1")
    assert sealer.open(sealed, "row-1") == b"content"
    with pytest.raises(SealBroken):
        sealer.open(sealed, "row-2")
    with pytest.raises(SealBroken):
        sealer.open(b"short", "row-1")


def test_file_that_is_no_journal_stops_the_start(tmp_path: Path) -> None:
    """A damaged file is told to staff, not overwritten."""
    (tmp_path / "journal.db").write_bytes(os.urandom(8192))
    before = (tmp_path / "journal.db").read_bytes()
    with pytest.raises(JournalUnusable):
        open_journal(tmp_path)
    assert (tmp_path / "journal.db").read_bytes() == before


def test_case_codes_in_use_are_known(journal: SqliteJournal) -> None:
    """A code that stands in the journal is not given out again."""
    journal.record("staff_called", "451207")
    assert journal.case_code_known("451207")
    assert not journal.case_code_known("451208")
