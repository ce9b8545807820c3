"""The disk in memory: what was synced survives a power cut, the rest by chance; who trusts it less is caught."""

import random
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import apsw
import peewee
import pytest

from offline_queue.journal import SqliteJournal
from offline_queue.schema import JournalUnusable
from offline_queue.sealing import SealBroken
from offline_queue.verify import open_read_only, verify
from simulators.deterministic.disk import SECTOR_BYTES, Disk
from simulators.deterministic.fuse import Fuse, PowerCut

RECORDS_MAX = 60
UNREADABLE = (JournalUnusable, SealBroken, apsw.Error, peewee.PeeweeException, ValueError, LookupError)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as scratch:
        yield Path(scratch)


def _open(folder: Path) -> SqliteJournal:
    return SqliteJournal(folder, lambda: datetime(2026, 11, 21, tzinfo=UTC))


def _write_until_cut(folder: Path, seed: int, disk: Disk, fuse: Fuse, *, synchronous: str = "full") -> int:
    """Records whose commit returned before the power went; then the power comes back."""
    chance = random.Random(seed)
    journal = _open(folder)
    journal.database.execute_sql(f"pragma synchronous = {synchronous}")
    fuse.armed, fuse.left = True, chance.randrange(1, RECORDS_MAX)
    committed = 0
    try:
        for number in range(chance.randrange(1, RECORDS_MAX)):
            journal.record("something", "", number=number)
            committed += 1
    except PowerCut:
        assert fuse.dead
    disk.dead = True
    journal.close()
    disk.power_cut(chance)
    fuse.power_on()
    return committed


def _lost(folder: Path, seed: int, *, lies: bool = False, synchronous: str = "full") -> bool:
    """Whether a power cut lost what was committed, or left a file that is none."""
    fuse = Fuse()
    disk = Disk(folder, lambda: fuse.burn("sync"))
    disk.lies = lies
    try:
        committed = _write_until_cut(folder, seed, disk, fuse, synchronous=synchronous)
        journal = _open(folder)
        found = len(journal.entries())
        whole = verify(open_read_only(folder / "journal.db"), None).whole
        journal.close()
        return not whole or found not in (committed, committed + 1)
    except UNREADABLE:
        return True
    finally:
        disk.close()


def test_full_synchronous_loses_nothing(folder: Path) -> None:
    """Of a hundred journals cut anywhere not one has lost a commit that returned."""
    assert [seed for seed in range(100) if _lost(_new(folder, seed), seed)] == []


@pytest.mark.parametrize("trusting", [{"lies": True}, {"synchronous": "normal"}], ids=str)
def test_a_journal_that_trusts_the_disk_is_caught(folder: Path, trusting: dict[str, object]) -> None:
    """A disk that does not write on sync, and a journal that does not sync, lose commits within a few seeds."""
    caught = [seed for seed in range(20) if _lost(_new(folder, seed), seed, **trusting)]  # type: ignore[arg-type]
    assert len(caught) > 10, caught


def test_a_full_disk_refuses_the_commit_and_keeps_the_journal(folder: Path) -> None:
    """When nothing more fits the commit fails, everything before it stands, and with room it goes on."""
    disk = Disk(folder)
    try:
        journal = _open(folder)
        journal.record("before")
        disk.room_bytes = disk.used_bytes
        with pytest.raises(apsw.FullError):
            for _ in range(RECORDS_MAX):
                journal.record("too much")
        stood = len(journal.entries())
        disk.room_bytes = None
        journal.record("after")
        assert [entry.act for entry in journal.entries()][stood:] == ["after"]
        journal.close()
    finally:
        disk.close()


def test_a_full_disk_leaves_no_connection_open(folder: Path) -> None:
    """A journal that cannot be closed or opened well for want of room lets go of its file all the same."""
    disk = Disk(folder)
    try:
        journal = _open(folder)
        journal.record("before")
        disk.room_bytes = disk.used_bytes
        with pytest.raises(apsw.FullError):
            for _ in range(RECORDS_MAX):
                journal.record("too much")
        with pytest.raises((apsw.FullError, peewee.OperationalError)):
            journal.close()
        assert not [one for one in apsw.connections() if disk.ours(one.filename)]
        with pytest.raises((JournalUnusable, apsw.FullError, peewee.OperationalError)):
            _open(folder)
        assert not [one for one in apsw.connections() if disk.ours(one.filename)]
    finally:
        disk.close()


def test_a_commit_is_one_sync(folder: Path) -> None:
    """Hundred commits sync a hundred times, give or take the checkpoint of the log."""
    disk = Disk(folder)
    try:
        journal = _open(folder)
        journal.record("first")
        before = disk.syncs
        for _ in range(100):
            journal.record("something")
        assert 100 <= disk.syncs - before <= 105
        journal.close()
    finally:
        disk.close()


def test_other_files_are_not_touched(folder: Path, tmp_path: Path) -> None:
    """Databases outside the folder go to the real disk, also while the memory is SQLite's default."""
    disk = Disk(folder)
    try:
        connection = apsw.Connection(str(tmp_path / "real.db"))
        connection.execute("create table one(two)")
        connection.close()
    finally:
        disk.close()
    assert (tmp_path / "real.db").stat().st_size >= SECTOR_BYTES


def _new(folder: Path, seed: int) -> Path:
    place = folder / str(seed)
    place.mkdir()
    return place
