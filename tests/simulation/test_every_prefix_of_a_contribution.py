"""The power is cut after every single effect of a contribution: it is credited once, or the money is its holder's."""

import random
from collections.abc import Callable

import pytest
from trio.testing import MockClock

from tests.simulation.contributions import Plan, run_plan

HUNDRED = 10_000
PLANS = (
    Plan("credited", (HUNDRED, HUNDRED), ends="contribution_credited"),
    Plan("credited, with change", (5000, HUNDRED, HUNDRED), ends="contribution_credited", outlet=5000),
    Plan("credited in silence", (HUNDRED, HUNDRED), "credits_silently", ends="contribution_credited_late"),
    Plan("refused at once", (HUNDRED, HUNDRED), "refuses", "refuses", ends="contribution_refused", outlet=20_000),
    Plan("without the line", (HUNDRED, HUNDRED), "silent", ends="contribution_credited_late"),
    Plan("without the line, refused", (HUNDRED, HUNDRED), "silent", "refuses", ends="contribution_refused_late"),
    Plan("the resident walks away", (HUNDRED,), ends="debt_owed"),
)


@pytest.fixture
def autojump_clock() -> MockClock:
    return MockClock(autojump_threshold=0)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
async def test_uncut_life_leaves_clean_books(autojump_clock: MockClock, plan: Plan) -> None:
    """Without any cut the story ends as planned."""
    world = await run_plan(plan, None)
    assert plan.ends in world.acts
    assert world.cash.outlet == plan.outlet


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
async def test_every_prefix_is_explained(
    autojump_clock: MockClock, plan: Plan, count_cuts: Callable[[str, int], None]
) -> None:
    """Whatever effect was the last one: credited at most once, and every fen is the agency's or its holder's."""
    effects = len((await run_plan(plan, None)).fuse.burnt)
    for cut_at in range(effects):
        await run_plan(plan, cut_at)
    count_cuts(plan.name, effects)
    assert effects > 5


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
async def test_a_recovery_that_is_cut_again_is_explained_too(autojump_clock: MockClock, plan: Plan) -> None:
    """Some cuts, and the recovery after each cut once more."""
    chance, cuts = random.Random(plan.name), 0
    for _ in range(6):
        world = await run_plan(plan, chance.randrange(30), (chance.randrange(8),))
        cuts += plan.ends not in world.acts
    assert cuts, "the fuse must really burn"
