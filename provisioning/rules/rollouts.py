"""When a wave of a rollout may go on to the next, must wait, or must return: pure decisions, no IO.

A wave passes only when enough of its terminals succeeded, all that answered are well, and it has stood that way for a
while; one bound that is exceeded ends it at once. What cannot be known (a silent terminal) never counts as good.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

import msgspec

Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
Whole = Annotated[int, msgspec.Meta(ge=0, le=10**9)]


class Gate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bounds of each wave, chosen when the rollout is proposed; and ``over_metered``: whether its full images may also
    come over lines that are paid by the byte.

    ``overdue_s``: so long after its wave began, a terminal that was heard since and has not finished counts as overdue.
    ``failed_interactions_percent_max``: of the sessions at terminals that have the new version.
    ``unsent_growth_max``: notices a terminal, by which the wave's unsent may have grown since it began.
    """

    success_percent_min: Percent = 90.0
    error_percent_max: Percent = 5.0
    overdue_s: Whole = 6 * 3600
    overdue_percent_max: Percent = 10.0
    failed_interactions_percent_max: Percent = 5.0
    sessions_min: Whole = 20  # below it, failed interactions say nothing
    unsent_growth_max: float = 5.0
    soak_s: Whole = 1800  # for how long it must have stood well
    over_metered: bool = False


@dataclass(frozen=True)
class Counts:
    """Of one wave, now. ``silent``: not heard since the wave began; ``overdue``: heard and not finished in time.

    ``errors`` includes terminals that installed it and went back by themselves.
    """

    terminals: int
    succeeded: int = 0
    errors: int = 0
    silent: int = 0
    overdue: int = 0
    sessions: int = 0
    failed_interactions: int = 0
    unsent_growth: int = 0


class Verdict(Enum):
    WAIT = "wait"
    PASS = "pass"  # noqa: S105 - no password
    RETURN = "return"


@dataclass(frozen=True)
class Judgement:
    """``why``: of a return, the bound that was exceeded: errors | overdue | failed_interactions | unsent."""

    verdict: Verdict
    why: str = ""


def judge(gate: Gate, counts: Counts, well_s: float) -> Judgement:
    """``well_s``: for how long enough have succeeded."""
    why = exceeded(gate, counts)
    if why:
        return Judgement(Verdict.RETURN, why)
    if enough(gate, counts) and well_s >= gate.soak_s:
        return Judgement(Verdict.PASS)
    return Judgement(Verdict.WAIT)


def enough(gate: Gate, counts: Counts) -> bool:
    """Whether so many succeeded that the next wave may follow. A wave of nobody is enough."""
    return counts.succeeded * 100 >= gate.success_percent_min * counts.terminals


def exceeded(gate: Gate, counts: Counts) -> str:
    """The first bound that the wave exceeds; "" for none. One error of ten is one too many where five per cent are."""
    of = counts.terminals
    if counts.errors * 100 > gate.error_percent_max * of:
        return "errors"
    if counts.overdue * 100 > gate.overdue_percent_max * of:
        return "overdue"
    failed_max = gate.failed_interactions_percent_max * counts.sessions
    if counts.sessions >= gate.sessions_min and counts.failed_interactions * 100 > failed_max:
        return "failed_interactions"
    if counts.unsent_growth > gate.unsent_growth_max * of:
        return "unsent"
    return ""
