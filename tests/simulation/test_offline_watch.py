"""The simulation's own judge of what was done without a line: it must say no where the policy does."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from kiosk.domain.entries import NewEntry
from simulators.deterministic.busy_world import busy_world
from simulators.deterministic.offline import ACTS, UNSENT_FEN_MAX, AgencyDocuments, OfflineWatch, listed
from simulators.deterministic.terminal import MORNING

ACT = "contribution"
LIMITS = ACTS[ACT]


def watch() -> OfflineWatch:
    policy = AgencyDocuments(busy_world(), MORNING).policy(0)
    assert policy is not None
    return OfflineWatch(busy_world(), policy)


def done(amount_fen: int, card: str = "C1") -> NewEntry:
    return NewEntry("contribution_received", "000001", {"offline": ACT, "offline_fen": amount_fen}, card)


def said(judge: OfflineWatch, entry: NewEntry, now: datetime = MORNING, unsent: tuple[int, int] = (0, 0)) -> list[str]:
    return list(judge.breaks(entry, now, unsent))


def test_what_the_policy_allows_breaks_nothing() -> None:
    """One act within all limits, and an entry that is about nothing offline."""
    assert said(watch(), done(LIMITS.act_fen_max)) == []
    assert said(watch(), NewEntry("visit_opened", "000001")) == []


@pytest.mark.parametrize(
    "case",
    [
        {"entry": done(LIMITS.act_fen_max + 1)},
        {"entry": done(100), "now": MORNING + timedelta(days=4)},
        {"entry": done(100), "unsent": (1, UNSENT_FEN_MAX)},
        {"entry": done(0, min(listed(busy_world())))},
    ],
    ids=["too much at once", "an old policy", "too much unsent", "a listed card"],
)
def test_each_limit_is_judged(case: dict[str, Any]) -> None:
    """Whatever the terminal counted itself."""
    assert len(said(watch(), **case)) == 1


def test_a_day_ends_by_the_latest_time_that_was_seen() -> None:
    """Two acts fill the day of a card; a clock set back by a day opens no other day, and takes no money."""
    judge = watch()
    for _ in range(LIMITS.card_day_count_max):
        assert said(judge, done(100)) == []
        judge.committed(done(100), MORNING)
    assert len(said(judge, done(100))) == 1
    assert len(said(judge, done(0), MORNING - timedelta(days=1))) == 1
    assert said(judge, done(100), MORNING + timedelta(days=1)) == []
