"""The shortest story of a seed that breaks a rule: fewer residents, no cuts, fewer kinds of faults."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from simulators.deterministic.history import Limits, Told, live_history

Shorter = Callable[[Limits], Limits]


def shortened(told: Told, limits: Limits) -> Told:
    """The same seed with as little as still breaks one of the same rules, and never a longer story."""
    rules = {rule_of(one) for one in told.violations}
    best = told
    for attempt in _attempts(told):
        tried = attempt(limits)
        if tried == limits:
            continue
        again = live_history(told.seed, tried)
        if rules & {rule_of(one) for one in again.violations} and len(again.story) <= len(best.story):
            limits, best = tried, again
    return best


def rule_of(violation: str) -> str:
    return violation.partition(":")[0]


def _attempts(told: Told) -> Iterator[Shorter]:
    """At most thirty or so; each stands on what went before."""
    for count in (6, 3, 2, 1):
        yield _with_sessions(count)
    yield lambda limits: replace(limits, cuts=False)
    kinds = tuple(sorted(told.faults))
    yield lambda limits: replace(limits, kinds=())
    for kind in kinds:
        yield _without(kind, kinds)
    for count in (4, 2, 1):
        yield _with_sessions(count)


def _with_sessions(count: int) -> Shorter:
    return lambda limits: replace(limits, sessions=min(limits.sessions, count))


def _without(kind: str, kinds: tuple[str, ...]) -> Shorter:
    def shorter(limits: Limits) -> Limits:
        left = kinds if limits.kinds is None else limits.kinds
        return replace(limits, kinds=tuple(one for one in left if one != kind))

    return shorter
