"""``python -m simulators simulate``: histories of whole kiosks, seed by seed; ends with one JSON line.

Exit status 0: no rule was broken. Each run of RUNS seeds from SEED on is a shard of its own: a long campaign is many
calls with other seeds. A seed that breaks a rule is told again as shortly as it still breaks it, line by line.
"""

import argparse
import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from simulators.deterministic.history import Limits, Told, live_history

Shorter = Callable[[Limits], Limits]
TELLINGS_MAX = 40  # of one seed, while a shorter story is looked for
STORIES_MAX = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=1, help="the first one")
    parser.add_argument("--runs", type=int, default=20, help="how many seeds")
    parser.add_argument("--only-money", action="store_true", help="every resident comes about money")
    parser.add_argument("--until-broken", action="store_true", help="end with the first seed that breaks a rule")
    parser.add_argument("--story", action="store_true", help="tell every history line by line")


def main(asked: argparse.Namespace) -> int:
    """Exit status 0 when no rule was broken."""
    began = time.process_time()
    whole, limits = _Sum(), Limits(only_money=asked.only_money)
    for seed in range(asked.seed, asked.seed + asked.runs):
        told = live_history(seed, limits)
        whole.add(told)
        if asked.story:
            print("\n".join(told.story))
        if told.violations and asked.until_broken:
            break
        if told.violations and len(whole.broken) <= STORIES_MAX:
            _tell_shortest(told, limits)
    print(whole.line(asked.seed, seed - asked.seed + 1, time.process_time() - began), flush=True)
    return 1 if whole.broken else 0


class _Sum:
    """Over all histories of a call."""

    def __init__(self) -> None:
        self.sessions: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.power_cuts = 0
        self.broken: dict[int, list[str]] = {}
        self._digest = hashlib.sha256()

    def add(self, told: Told) -> None:
        self.sessions += told.sessions
        self.faults += told.faults
        self.power_cuts += told.power_cuts
        self._digest.update(told.digest.encode())
        if told.violations:
            self.broken[told.seed] = told.violations

    def line(self, seed: int, runs: int, cpu_s: float) -> str:
        count = self.sessions.total()
        return json.dumps(
            {
                "seed": seed,
                "histories": runs,
                "sessions": count,
                "sessions_by_service": dict(sorted(self.sessions.items())),
                "power_cuts": self.power_cuts,
                "faults": dict(sorted(self.faults.items())),
                "violations": sum(len(one) for one in self.broken.values()),
                "broken_seeds": self.broken,
                "digest": self._digest.hexdigest(),
                "cpu_s": round(cpu_s, 1),
                "sessions_per_cpu_s": round(count / cpu_s, 1) if cpu_s else None,
            },
            ensure_ascii=False,
        )


def _tell_shortest(told: Told, limits: Limits) -> None:
    shortest = shortened(told, limits)
    print(f"seed {told.seed} breaks:")
    print("\n".join(f"  {one}" for one in shortest.violations))
    print("its shortest story:")
    print("\n".join(shortest.story))


def shortened(told: Told, limits: Limits) -> Told:
    """The same seed with fewer residents, faults and cuts, as long as any of the same rules is still broken."""
    rules = {rule_of(one) for one in told.violations}
    best = told
    for attempt in _shorter(told):
        tried = attempt(limits)
        again = live_history(told.seed, tried)
        if rules & {rule_of(one) for one in again.violations}:
            limits, best = tried, again
    return best


def _shorter(told: Told) -> list[Shorter]:
    """First fewer residents, then no cuts, then one kind of fault after another left out."""
    kinds = tuple(sorted(told.faults))
    sessions: list[Shorter] = [_with_sessions(count) for count in (6, 3, 2, 1)]
    without: list[Shorter] = [_without(kind, kinds) for kind in kinds]
    return [*sessions, lambda limits: replace(limits, cuts=False), *without][:TELLINGS_MAX]


def _with_sessions(count: int) -> Shorter:
    return lambda limits: replace(limits, sessions=min(limits.sessions, count))


def _without(kind: str, kinds: tuple[str, ...]) -> Shorter:
    def shorter(limits: Limits) -> Limits:
        left = kinds if limits.kinds is None else limits.kinds
        return replace(limits, kinds=tuple(one for one in left if one != kind))

    return shorter


def rule_of(violation: str) -> str:
    return violation.partition(":")[0]
