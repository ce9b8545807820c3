"""The journal: one durable commit beside a bare append of the same bytes, flushes, growth, verification, recovery.

* Commit: what a visit writes when it pays in notes, each row a commit of its own: a note's intent, its credit, and
  after ten notes the settlement. The log was carried over once before the clock runs, so that it is written over, as on
  a terminal that has run for a day; a new terminal's first 300 commits grow it and are slower.
* Append: the bytes that these rows hold, all their columns, written to the end of a file with fdatasync. Both in turns
  of ``TURN`` commits on one file system, so that a disk that drifts drifts for both.
* Flushes: the same commits over a disk that counts them (``simulators/bench/slow_disk.py``).
* Growth: ``JOURNAL_ROWS`` rows of ever new cases and cards, written without waiting for the disk.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import median
from typing import TypeVar

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry
from offline_queue.journal import SqliteJournal
from offline_queue.verify import open_read_only, verify
from simulators.bench import Measurement
from simulators.bench.slow_disk import SlowDisk

TURNS = 24
TURN = 105  # commits: five visits
WARM_UP = 840
COUNTED = 4200
NOTES = 10
GROWN_ROWS = int(os.environ.get("JOURNAL_ROWS", "1000000"))
What = TypeVar("What")
NOW = datetime(2026, 11, 21, tzinfo=UTC)
_ROW_BYTES = """
    select length(cast(at || act || case_code || card_index || period || postings as blob))
        + length(sealed) + length(link) + length(proof) + 8 from entry order by seq desc limit ?
"""


def run() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory() as folder:
        yield from _commit_against_append(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        yield _flushes(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        yield from _grown(Path(folder))


def rows() -> Iterator[NewEntry]:
    """Without end: visits that put in ten notes and settle."""
    for visit in count(1):
        case, card = f"{visit * 7919 % 1_000_000:06d}", f"B{visit % 100_000_000:08d}"
        for note in range(NOTES):
            key = f"note:{visit:012x}-{note:06d}"
            yield NewEntry("note_intent", case, {"denomination_fen": 10_000, "note": key}, card, opens=key)
            facts: dict[str, str | int] = {"credit": f"{visit:016x}-{note:06d}", "denomination_fen": 10_000}
            moved = balanced((Account.CASH_BOX, 10_000), (Account.RESIDENT, -10_000))
            yield NewEntry("note_credited", case, {**facts, "to": "cash_box"}, card, moved, closes=key)
        settled = balanced((Account.RESIDENT, 10_000 * NOTES), (Account.HOSPITAL, -10_000 * NOTES))
        yield NewEntry("settled", case, {"setl_id": f"{visit:020d}"}, card, settled)


def _commit_against_append(folder: Path) -> Iterator[Measurement]:
    journal, more = SqliteJournal(folder, lambda: NOW), rows()
    for _ in range(WARM_UP):
        journal.commit(next(more))
    commits: list[float] = []
    appends: list[float] = []
    with (folder / "plain").open("wb", buffering=0) as plain:

        def append(size: int) -> None:
            plain.write(bytes(size))
            os.fdatasync(plain.fileno())

        for _ in range(TURNS):
            commits.append(median(_seconds(journal.commit, [next(more) for _ in range(TURN)])))
            sizes = [size for (size,) in journal.database.execute_sql(_ROW_BYTES, (TURN,))]
            appends.append(median(_seconds(append, sizes)))
    journal.close()
    how = f"p50 of {TURN}, median of {TURNS} turns, {median(sizes):.0f} bytes a row"
    yield Measurement("journal commit p50", median(commits) * 1e6, "us", float("inf"), how)
    yield Measurement("append + fdatasync p50", median(appends) * 1e6, "us", float("inf"), how)
    ratios = sorted(commit / append for commit, append in zip(commits, appends, strict=True))
    how = f"median of {TURNS} turns, half of them {ratios[TURNS // 4]:.2f} to {ratios[-TURNS // 4]:.2f}"
    yield Measurement("journal commit over append + fdatasync", median(ratios), "ratio", 1.1, how)


def _flushes(folder: Path) -> Measurement:
    disk, more = SlowDisk(), rows()
    journal = SqliteJournal(folder, lambda: NOW, vfs=disk.name)
    before = disk.syncs
    for _ in range(COUNTED):
        journal.commit(next(more))
    syncs = disk.syncs - before
    journal.close()
    disk.unregister()
    return Measurement("flushes a commit", syncs / COUNTED, "syncs", 1.05, f"{syncs} of {COUNTED} commits")


def _grown(folder: Path) -> Iterator[Measurement]:
    journal, more = SqliteJournal(folder, lambda: NOW), rows()
    for _ in range(WARM_UP):
        journal.commit(next(more))
    empty = median(_seconds(journal.commit, [next(more) for _ in range(COUNTED // 4)]))
    _grow(journal, more, GROWN_ROWS)
    full = median(_seconds(journal.commit, [next(more) for _ in range(COUNTED // 4)]))
    journal.close()
    how = f"p50 of {COUNTED // 4}: {full * 1e6:.0f} over {empty * 1e6:.0f} us"
    yield Measurement(f"commit at {GROWN_ROWS} rows over an empty journal", full / empty, "ratio", 1.25, how)
    began = time.perf_counter()
    again = SqliteJournal(folder, lambda: NOW)
    again.open_effects()
    again.unspent()
    yield Measurement("recovery at start", (time.perf_counter() - began) * 1e3, "ms", 100)
    again.close()
    began = time.perf_counter()
    verdict = verify(open_read_only(folder / "journal.db"), None)
    assert verdict.whole, verdict
    took_s = time.perf_counter() - began
    yield Measurement("verify, a row", took_s / verdict.rows * 1e6, "us", 5.0, f"{verdict.rows / took_s:.0f} rows/s")


def _grow(journal: SqliteJournal, more: Iterator[NewEntry], rows_more: int) -> None:
    """Real commits without waiting for the disk: the rows are the same."""
    journal.database.execute_sql("pragma synchronous = off")
    for _ in range(rows_more):
        journal.commit(next(more))
    journal.database.execute_sql("pragma synchronous = full")


def _seconds(act: Callable[[What], object], arguments: list[What]) -> list[float]:
    times = []
    for argument in arguments:
        began = time.perf_counter()
        act(argument)
        times.append(time.perf_counter() - began)
    return times
