"""The outbox with a million notices that wait, beside one with a thousand: a dark week must not make it slow.

Both journals stand side by side and are asked in turns, so that a disk that drifts drifts for both. The million is
written without waiting for the disk. ``QUEUE_ROWS`` sets how far it grows.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from offline_queue.journal import SqliteJournal
from simulators.bench import Measurement
from simulators.bench.queue import HOST, NOW, TOGETHER, Ours

FEW = 1000
MANY = int(os.environ.get("QUEUE_ROWS", "1000000"))
TURNS = 16
TURN = 40
MIB = 1 << 20


def run() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory() as folder:
        few = _begun(Path(folder) / "few")
        many = _begun(Path(folder) / "many")
        before = _resident()
        _grow(many)
        grown = (_resident() - before) / MIB
        yield from _compared(few, many)
        yield Measurement(f"queue resident, {FEW} to {MANY} notices", grown, "MiB more", 4.0)
        for journal in (few, many):
            journal.journal.close()
        yield _opened(Path(folder) / "many")


def _begun(folder: Path) -> Ours:
    """Each has its month's key before the next one is opened: peewee's models know one database a process."""
    ours = Ours(folder)
    ours.put(FEW + TURN)
    ours.take(TURN, lazily=True)
    return ours


def _grow(ours: Ours) -> None:
    """Real commits without waiting for the disk: the rows are the same."""
    ours.journal.database.execute_sql("pragma synchronous = off")
    for _ in range((MANY - FEW) // TOGETHER // 20):
        ours.put_together(20)
    ours.journal.database.execute_sql("pragma synchronous = full")


def _compared(few: Ours, many: Ours) -> Iterator[Measurement]:
    acts: dict[str, Callable[[Ours], list[float]]] = {
        "put": lambda ours: ours.put(TURN),
        "take": lambda ours: ours.take(TURN, lazily=False),
        "take lazily": lambda ours: ours.take(TURN, lazily=True),
    }
    for name, act in acts.items():
        turns = [(median(act(few)), median(act(many))) for _ in range(TURNS)]
        ratio = median(big / small for small, big in turns)
        small, big = (median(column) for column in zip(*turns, strict=True))
        how = f"median of {TURNS} turns: {big:.0f} over {small:.0f} us"
        yield Measurement(f"queue {name} at {MANY} over {FEW}", ratio, "ratio", 1.25, how)


def _opened(folder: Path) -> Measurement:
    """Of a warm file; imports are not counted."""
    began = time.perf_counter()
    journal = SqliteJournal(folder, lambda: NOW)
    assert journal.outbox.due(HOST) is not None
    took_ms = (time.perf_counter() - began) * 1e3
    journal.close()
    return Measurement(f"queue opened to the first of {MANY}", took_ms, "ms", 10.0, "warm")


def _resident() -> int:
    """Bytes of this process's own: what it maps of the log's index is shared, and goes with the log."""
    found = {line.split(":")[0]: line for line in Path("/proc/self/status").read_text().splitlines()}
    return int(found["RssAnon"].split()[1]) * 1024
