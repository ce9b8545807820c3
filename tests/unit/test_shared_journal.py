"""Two users write one journal: who may open its files."""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from offline_queue.journal import SqliteJournal

NAMES = ["journal.began", "journal.db", "journal.db-shm", "journal.db-wal", "journal.key"]


@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o2771, 0o660), (0o700, 0o600)])
@pytest.mark.parametrize("umask", [0o077, 0o022, 0o007])
def test_the_folder_says_who_writes(tmp_path: Path, folder_mode: int, file_mode: int, umask: int) -> None:
    """In a folder that its group may write every file is that group's, in any other its user's alone; whatever the
    umask, and also log and index that SQLite makes itself."""
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(folder_mode)
    before = os.umask(umask)
    try:
        journal = SqliteJournal(folder, lambda: datetime(2026, 11, 22, tzinfo=UTC))
        journal.record("kiosk_started")
        journal.signed_head()
        second = SqliteJournal(folder, lambda: datetime(2026, 11, 22, tzinfo=UTC))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        second.close()
        journal.close()
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(NAMES, file_mode)
