"""A bill left while the insurance is silent, lived by the whole kiosk and its forwarder in memory, cut anywhere."""

import random
from collections.abc import Callable

from simulators.deterministic.resident import Habits
from simulators.deterministic.terminal import Life, Terminal
from tests.simulation.plans import WholePlan, live_plan

CUTS = 10


def _down_in_the_first_life(terminal: Terminal, life: Life) -> None:
    terminal.weather.change(platform_down=terminal.lives == 1)


SCRIPT = {"choose_order_means": "cash", "feed_order_notes": "enough"}
PLAN = WholePlan(
    "a bill is left with notes",
    habits=Habits(notes=(100, 50), script=SCRIPT),
    prepare=_down_in_the_first_life,
    ends="settlement_ordered",
)


def test_it_is_left_and_waits() -> None:
    """Nothing is settled while the line is down, and no rule is broken by what waits."""
    lived = live_plan(PLAN)
    assert lived.violations == []
    assert PLAN.ends in lived.acts
    assert "settle_intent" not in lived.acts


def test_cut_anywhere_it_is_settled_once(count_cuts: Callable[[str, int], None]) -> None:
    """The power goes in the visit and again while the forwarder settles: every rule holds, and the bill is settled."""
    chance = random.Random(PLAN.name)
    effects = len(live_plan(PLAN).effects)
    settled = cuts = 0
    for _ in range(CUTS):
        lived = live_plan(PLAN, chance.randrange(effects), (chance.randrange(60),))
        assert lived.violations == [], lived.story
        cuts += lived.cut
        settled += "settled_late" in lived.acts
    count_cuts(PLAN.name, cuts)
    assert settled
