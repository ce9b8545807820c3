"""The journal: one durable commit beside a bare append of the same bytes, growth, verification, recovery at start."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry
from offline_queue.journal import SqliteJournal
from offline_queue.verify import open_read_only, verify
from simulators.bench import Measurement

ROUNDS = 5
COMMITS = 400
GROWN_ROWS = int(os.environ.get("JOURNAL_ROWS", "100000"))


def run() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory() as folder:
        yield from _commit_against_append(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        yield from _grown(Path(folder))


def entry() -> NewEntry:
    """A note credited: what a kiosk commits most often."""
    facts: dict[str, str | int] = {"credit": "0123456789abcdef-000001", "denomination_fen": 10_000, "to": "cash_box"}
    moved = balanced((Account.CASH_BOX, 10_000), (Account.RESIDENT, -10_000))
    return NewEntry("note_credited", "451207", facts, "B00000131", moved)


def _commit_against_append(folder: Path) -> Iterator[Measurement]:
    """Rounds in turn, so that a disk that drifts drifts for both."""
    journal = SqliteJournal(folder, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    journal.commit(entry())
    bytes_a_row = 420  # measured: one such entry with its link, head and purse
    commits: list[float] = []
    appends: list[float] = []
    with (folder / "plain").open("wb", buffering=0) as plain:

        def append() -> None:
            plain.write(b"x" * bytes_a_row)
            os.fdatasync(plain.fileno())

        for _ in range(ROUNDS):
            commits.append(_p50(lambda: journal.commit(entry())))
            appends.append(_p50(append))
    journal.close()
    yield Measurement("journal commit p50", round(median(commits) * 1e6, 1), "us", float("inf"))
    yield Measurement("append + fdatasync p50", round(median(appends) * 1e6, 1), "us", float("inf"))
    ratio = median(commit / plain for commit, plain in zip(commits, appends, strict=True))
    yield Measurement("journal commit over append + fdatasync", round(ratio, 3), "ratio", 1.1)


def _grown(folder: Path) -> Iterator[Measurement]:
    journal = SqliteJournal(folder, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    empty = _p50(lambda: journal.commit(entry()))
    _grow(journal, GROWN_ROWS)
    full = _p50(lambda: journal.commit(entry()))
    journal.close()
    yield Measurement(f"commit at {GROWN_ROWS} rows over an empty journal", round(full / empty, 3), "ratio", 1.25)
    began = time.perf_counter()
    again = SqliteJournal(folder, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    assert again.open_effects() == []
    again.unspent()
    yield Measurement("recovery at start", round((time.perf_counter() - began) * 1e3, 1), "ms", 100)
    again.close()
    began = time.perf_counter()
    verdict = verify(open_read_only(folder / "journal.db"), None)
    assert verdict.whole, verdict
    yield Measurement("verify, a row", round((time.perf_counter() - began) / verdict.rows * 1e6, 2), "us", 5.0)


def _grow(journal: SqliteJournal, rows: int) -> None:
    """Real commits without waiting for the disk: the rows are the same."""
    journal.database.execute_sql("pragma synchronous = off")
    for _ in range(rows):
        journal.commit(entry())
    journal.database.execute_sql("pragma synchronous = full")


def _p50(act: Callable[[], object]) -> float:
    times = []
    for _ in range(COMMITS):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return median(times)
