"""The outbox: owing and telling, beside a bare append of the same bytes and beside other durable queues.

* Put: one act with its notice (a PIN change): sealed, chained, durable on return. The log was carried over once before
  the clock runs, as in the journal's bench.
* Append: the bytes that the row and its notice hold, at the end of a file, with fdatasync. Peers put as many bytes.
* Get and acknowledge: the next notice that may go, opened, and marked as told. "Lazily" is what a host that remembers
  keys for longer than a terminal may be dark allows (money-rules 27); the chain's later record of it is told apart.
  The target is set by peers that give again what was given and not acknowledged. Those that delete when they give do
  half the work and lose it at a power cut; they stand beside, without a target.
* All in turns on one file system: each ratio is of medians of one turn, and the median of turns is told.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

from kiosk.domain.entries import NewEntry, NewNotice
from offline_queue.journal import SqliteJournal
from simulators.bench import Measurement
from simulators.bench.queue_peers import KEEP_UNTIL_ACKNOWLEDGED
from simulators.bench.queue_rivals import rivals

TURNS = 60  # short ones: a disk of a shared machine changes its mood within a second
TURN = 12
BATCHES = 3  # a turn
TOGETHER = 50
WARM_UP = 1500
HOST = "card_platform"
CASE = "451207"  # written by the visit's first row, not by this one
NOW = datetime(2026, 11, 22, tzinfo=UTC)
UNLIMITED = float("inf")
_ROW_BYTES = """
    select length(cast(at || entry.act || case_code || entry.card_index || period || postings as blob))
        + length(entry.sealed) + length(link) + length(proof) + 8
        + length(host || notice.act || key || notice.card_index) + length(notice.sealed) + 8
    from entry join notice using (seq) order by seq desc limit 1
"""


def owed(number: int) -> NewEntry:
    """A changed PIN, of ever another card."""
    card = f"B{number % 100_000_000:08d}"
    key = f"019aa2b0-{number >> 16 & 0xFFFF:04x}-7{number >> 4 & 0xFFF:03x}-8{number & 0xFFF:03x}-{number:012x}"
    facts = {"card_number": card, "at": "2026-11-22T09:30:00+08:00"}
    return NewEntry("notice_owed", CASE, notices=(NewNotice(HOST, "pin_changed", key, facts, card_number=card),))


class Ours:
    """The journal as a queue; each method returns the microseconds of each act."""

    def __init__(self, folder: Path) -> None:
        self.journal = SqliteJournal(folder, lambda: NOW)
        self.count = 0

    def put(self, count: int) -> list[float]:
        return times([partial(self.journal.commit, one) for one in self._more(count)])

    def put_together(self, batches: int) -> list[float]:
        acts = [self._more(TOGETHER) for _ in range(batches)]
        return [took / TOGETHER for took in times([partial(self.journal.commit_together, act) for act in acts])]

    def take(self, count: int, *, lazily: bool) -> list[float]:
        outbox = self.journal.outbox

        def take_one() -> None:
            notice = outbox.due(HOST)
            assert notice is not None
            (outbox.answered if lazily else outbox.told)(notice.key)

        return times([take_one] * count)

    def take_together(self, batches: int, *, lazily: bool) -> list[float]:
        outbox = self.journal.outbox

        def take_fifty() -> None:
            keys = [notice.key for notice in outbox.due_together(HOST, TOGETHER)]
            assert len(keys) == TOGETHER
            (outbox.answered if lazily else outbox.told)(*keys)

        return [took / TOGETHER for took in times([take_fifty] * batches)]

    def settle(self) -> float:
        """Microseconds a notice for what the chain still has to hear."""
        began, count = time.perf_counter(), 0
        while settled := self.journal.outbox.settle_answered(HOST):
            count += settled
        return (time.perf_counter() - began) * 1e6 / count

    def _more(self, count: int) -> list[NewEntry]:
        self.count += count
        return [owed(number) for number in range(self.count - count, self.count)]


class Plain:
    """The end of a file."""

    def __init__(self, path: Path, record_bytes: int) -> None:
        self._file = path.open("wb", buffering=0)
        self._record = os.urandom(record_bytes)

    def put(self, count: int) -> list[float]:
        return times([lambda: self._append(1)] * count)

    def put_together(self, batches: int) -> list[float]:
        return [took / TOGETHER for took in times([lambda: self._append(TOGETHER)] * batches)]

    def close(self) -> None:
        self._file.close()

    def _append(self, records: int) -> None:
        self._file.write(self._record * records)
        os.fdatasync(self._file.fileno())


def times(acts: list[Callable[[], object]]) -> list[float]:
    """Microseconds of each."""
    took = []
    for act in acts:
        began = time.perf_counter()
        act()
        took.append((time.perf_counter() - began) * 1e6)
    return took


Rounds = dict[str, list[float]]


def run() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory() as folder:
        yield from _measured(Path(folder))


def _measured(folder: Path) -> Iterator[Measurement]:
    ours = Ours(folder / "ours")
    ours.put(WARM_UP)
    record_bytes = int(ours.journal.database.execute_sql(_ROW_BYTES).fetchone()[0])
    plain = Plain(folder / "plain", record_bytes)
    rounds: Rounds = {}
    with rivals(folder, record_bytes) as peers:
        for peer in peers:
            peer.times("put", WARM_UP // 2)
        for _ in range(TURNS):
            found = {
                "append": plain.put(TURN),
                "put": ours.put(TURN),
                **{f"{peer.name} put": peer.times("put", TURN) for peer in peers},
                "append 50": plain.put_together(BATCHES),
                "put 50": ours.put_together(BATCHES),
                "take": ours.take(TURN, lazily=False),
                "take lazily": ours.take(TURN, lazily=True),
                **{f"{peer.name} take": peer.times("take", TURN) for peer in peers},
                "take 50": ours.take_together(1, lazily=False),
                "take 50 lazily": ours.take_together(BATCHES - 2, lazily=True),
            }
            for name, took in found.items():
                rounds.setdefault(name, []).append(median(took))
        settling = ours.settle()
        names = [peer.name for peer in peers]
    plain.close()
    ours.journal.close()
    yield from _told(rounds, names, record_bytes)
    yield Measurement(
        "queue lazy answer's later record", settling, "us a notice", UNLIMITED, f"in the chain, {TOGETHER} a row"
    )


def _told(rounds: Rounds, peers: list[str], record_bytes: int) -> Iterator[Measurement]:
    for name, took in rounds.items():
        how = f"p50 of a turn, median of {TURNS}, {record_bytes} bytes"
        yield Measurement(f"queue {name}", median(took), "us a record", UNLIMITED, how)
    yield _ratio(rounds, "put", ["append"], 1 / 0.90)
    yield _ratio(rounds, "put 50", ["append 50"], 1 / 0.45)
    if not peers:
        yield Measurement("queue peers", 0, "not measured", UNLIMITED, "they could not be installed")
        return
    yield _ratio(rounds, "put", [f"{peer} put" for peer in peers], 1.0)
    keeping = [f"{peer} take" for peer in peers if peer in KEEP_UNTIL_ACKNOWLEDGED]
    yield _ratio(rounds, "take", keeping, 1.0)
    yield _ratio(rounds, "take lazily", keeping, 1 / 5)
    forgetting = [f"{peer} take" for peer in peers if peer not in KEEP_UNTIL_ACKNOWLEDGED]
    yield _ratio(rounds, "take", forgetting, UNLIMITED)
    yield _ratio(rounds, "take lazily", forgetting, UNLIMITED)


def _ratio(rounds: Rounds, ours: str, others: list[str], target: float) -> Measurement:
    """Our time over the quickest other's, turn by turn."""
    best = min(others, key=lambda name: median(rounds[name]))
    ratios = sorted(mine / other for mine, other in zip(rounds[ours], rounds[best], strict=True))
    how = f"median of {TURNS} turns, half of them {ratios[TURNS // 4]:.2f} to {ratios[-TURNS // 4]:.2f}"
    return Measurement(f"queue {ours} over {best}", median(ratios), "ratio of times", target, how)
