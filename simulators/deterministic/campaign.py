"""Many histories: shards of a hundred seeds on every core, kept in a folder, so that a long run can stop and go on."""

import gc
import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from simulators.deterministic.history import Limits, Told, live_history

SHARD_SEEDS = 100
HOUSE = Path(__file__).parents[2]
PROGRAM = ("kiosk", "drivers", "offline_queue", "simulators")
GARBAGE_AFTER = 100_000  # objects; a history leaves most of its garbage to the count of references
BROKEN_KEPT = 50
Shard = dict[str, Any]


class Sum:
    """Over histories: whole numbers and counters, as JSON. ``digest`` is over all stories in the order of seeds."""

    def __init__(self) -> None:
        self.histories = self.power_cuts = self.violations = 0
        self.sessions: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.acts: Counter[str] = Counter()
        self.programs: Counter[str] = Counter()
        self.broken: dict[int, list[str]] = {}
        self.cpu_s = 0.0
        self._digest = hashlib.sha256()

    def add(self, told: Told) -> None:
        self.histories += 1
        self.sessions += told.sessions
        self.faults += told.faults
        self.acts += told.acts
        self.power_cuts += told.power_cuts
        self._digest.update(told.digest.encode())
        self._add_broken({told.seed: told.violations} if told.violations else {})

    def add_shard(self, shard: Shard) -> None:
        self.histories += shard["histories"]
        self.power_cuts += shard["power_cuts"]
        self.cpu_s += shard["cpu_s"]
        for name in ("sessions", "faults", "acts", "programs"):
            getattr(self, name).update(shard[name])
        self._digest.update(shard["digest"].encode())
        self._add_broken({int(seed): said for seed, said in shard["broken"].items()})

    def shard(self) -> Shard:
        return {
            "histories": self.histories,
            "power_cuts": self.power_cuts,
            "sessions": dict(self.sessions),
            "faults": dict(self.faults),
            "acts": dict(self.acts),
            "programs": dict(self.programs),
            "broken": self.broken,
            "digest": self._digest.hexdigest(),
            "cpu_s": round(self.cpu_s, 2),
        }

    def line(self, seed: int) -> str:
        """The last line of the command."""
        count = self.sessions.total()
        return json.dumps(
            {
                "seed": seed,
                "histories": self.histories,
                "sessions": count,
                "sessions_by_service": dict(sorted(self.sessions.items())),
                "power_cuts": self.power_cuts,
                "faults": dict(sorted(self.faults.items())),
                "acts": dict(sorted(self.acts.items())),
                "violations": self.violations,
                "broken_seeds": dict(sorted(self.broken.items())[:BROKEN_KEPT]),
                "programs": dict(self.programs),
                "digest": self._digest.hexdigest(),
                "cpu_s": round(self.cpu_s, 1),
                "sessions_per_cpu_s": round(count / self.cpu_s, 1) if self.cpu_s else None,
            },
            ensure_ascii=False,
        )

    def _add_broken(self, broken: dict[int, list[str]]) -> None:
        self.broken.update(broken)
        self.violations += sum(len(one) for one in broken.values())


def shards_of(seed: int, runs: int) -> Iterator[tuple[int, int]]:
    """First seed and count, cut at whole hundreds, so that calls with other ends share what they lived."""
    end = seed + runs
    while seed < end:
        stop = min(end, (seed // SHARD_SEEDS + 1) * SHARD_SEEDS)
        yield seed, stop - seed
        seed = stop


def live_shard(first: int, count: int, limits: Limits) -> Shard:
    """In whatever process; what garbage collection would cost is paid once at its start."""
    gc.collect()  # frozen garbage would be kept for ever: with a thousand shards that is gigabytes
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER, 50, 100)
    began, whole = time.process_time(), Sum()
    for seed in range(first, first + count):
        whole.add(live_history(seed, limits))
    whole.cpu_s = time.process_time() - began
    whole.programs[program()] = whole.histories
    return whole.shard()


def campaign(seed: int, runs: int, limits: Limits, jobs: int, kept: Path | None) -> Sum:
    """All shards, lived now or found in ``kept`` (which is made). What was lived there is not lived again."""
    whole, todo = Sum(), list(shards_of(seed, runs))
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(max(1, jobs), mp_context=get_context("spawn")) as pool:
        lived = [pool.submit(_kept_or_lived, first, count, limits, kept) for first, count in todo]
        for one in lived:
            whole.add_shard(one.result())
    return whole


def _kept_or_lived(first: int, count: int, limits: Limits, kept: Path | None) -> Shard:
    if kept is None:
        return live_shard(first, count, limits)
    path = kept / f"{'money' if limits.only_money else 'mix'}-{first:08d}-{count}.json"
    if path.exists():
        found: Shard = json.loads(path.read_text(encoding="utf-8"))
        return found
    shard = live_shard(first, count, limits)
    half = path.with_suffix(f".{os.getpid()}")
    half.write_text(json.dumps(shard, ensure_ascii=False), encoding="utf-8")
    half.replace(path)
    return shard


@cache
def program() -> str:
    """Which program was lived: the first letters of a hash over its sources, because a long campaign outlives edits."""
    found = sorted(path for part in PROGRAM for path in (HOUSE / part).rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in found)).hexdigest()[:12]
