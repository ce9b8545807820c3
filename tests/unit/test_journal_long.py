"""A journal of a million rows: years of a busy terminal."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw
import pytest

from offline_queue.journal import SqliteJournal
from offline_queue.reader import open_reader
from offline_queue.verify import verify

ROWS = 1_000_000
BYTES_A_ROW_MAX = 1024
BEGAN = datetime.fromisoformat("2026-11-21T08:00:00+08:00")


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory: the disk's flushes are not what is asked here."""
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        yield Path(name)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_million_rows_stay_whole_small_and_quick_to_find(folder: Path) -> None:
    """The chain of a million rows over several periods holds, a case is found in it, and a row keeps within a
    kilobyte."""
    moments = iter(range(ROWS + 2))
    journal = SqliteJournal(folder, lambda: BEGAN + timedelta(seconds=10 * next(moments)))
    for row in range(ROWS):
        journal.record("service_ended", f"{row:06d}", service="query_account", outcome="done")
    assert [entry.facts for entry in journal.story("500000")] == [{"service": "query_account", "outcome": "done"}]
    assert journal.record("visit_closed", "000000") == ROWS + 1
    reader = open_reader(folder)
    verdict = verify(reader.connection, reader.public_key)
    assert (verdict.whole, verdict.rows) == (True, ROWS + 1)
    journal.close()
    assert sum(path.stat().st_size for path in folder.iterdir()) < ROWS * BYTES_A_ROW_MAX


def test_the_same_at_a_thousandth(folder: Path) -> None:
    """What the long run asks holds for a thousand rows, so that its own mistakes show at once."""
    journal = SqliteJournal(folder, lambda: BEGAN)
    for row in range(ROWS // 1000):
        journal.record("service_ended", f"{row:06d}", service="query_account", outcome="done")
    reader = open_reader(folder)
    assert verify(reader.connection, reader.public_key).rows == ROWS // 1000
    assert len(journal.story("000500")) == 1
    journal.close()


def test_cases_and_cards_are_found_by_their_index(folder: Path) -> None:
    """Every visit asks for a fresh case code: with years of rows that must not walk the file."""
    journal = SqliteJournal(folder, lambda: BEGAN)
    connection = journal.database.connection()
    asked: list[str] = []
    connection.trace_v2(apsw.SQLITE_TRACE_STMT, lambda event: asked.append(event["sql"]))
    journal.case_code_known("123456")
    journal.story("123456")
    journal.of_card("A00000012")
    connection.trace_v2(0, None)
    searches = [sql for sql in asked if "limit 1" not in sql or "where" in sql]  # and one looks at the last row alone
    assert (len(asked), len(searches)) == (4, 3)
    for sql in searches:
        plan = [row[3] for row in connection.execute("explain query plan " + sql, ("x",) * sql.count("?"))]
        assert any(step.startswith("SEARCH") for step in plan), (sql, plan)
        assert not any(step.startswith(("SCAN t1", "SCAN entry")) for step in plan), (sql, plan)
    journal.close()
