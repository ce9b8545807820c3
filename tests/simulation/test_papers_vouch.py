"""The checker of receipts' codes can fail: it finds a row that a paper names and the journal does not have."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from offline_queue.journal import SqliteJournal
from simulators.deterministic.checks import papers_vouch_for_rows

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


def found(folder: Path, code: str) -> list[str]:
    """What the checker says of one paper beside the journal in ``folder``."""
    printer = SimpleNamespace(papers=[SimpleNamespace(codes=(code,))])
    life: Any = SimpleNamespace(terminal=SimpleNamespace(folder=folder, printer=printer))
    return list(papers_vouch_for_rows(life, []))


def test_a_row_that_was_lost_after_it_was_printed_is_found(tmp_path: Path) -> None:
    """The journal is put back to before the commit, or goes on there with another row: either breaks the rule."""
    journal = SqliteJournal(tmp_path / "data", lambda: NOW)
    journal.record("visit_opened")
    journal.close()
    before = tmp_path / "before"
    shutil.copytree(tmp_path / "data", before / "data")
    journal = SqliteJournal(tmp_path / "data", lambda: NOW)
    code = journal.row_code("T0000001", journal.record("settled"))
    journal.close()
    assert found(tmp_path, code) == []
    assert found(before, code) == ["a paper vouches for row 2, which is another one or gone"]
    journal = SqliteJournal(before / "data", lambda: NOW)
    journal.record("visit_opened")
    journal.close()
    assert len(found(before, code)) == 1
