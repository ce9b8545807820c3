"""The power is cut after every single effect of an order and of its settling: every fen has an owner, one 2207."""

import random
from collections.abc import Callable

import pytest
from trio.testing import MockClock

from tests.flows.orders import BY_ACCOUNT
from tests.simulation.orders import DEARER, Plan, run_plan

PLANS = (
    Plan("notes, settled within the consent"),
    Plan("by the account alone", notes=(), quote=BY_ACCOUNT),
    Plan("dearer than agreed", quote=DEARER, ends="settlement_order_ended"),
    Plan("paid at the window meanwhile", window_pays=True, ends="settlement_order_ended"),
    Plan("2207 refused", behaviour="refuses", ends="settlement_order_ended"),
    Plan("2207 booked and never answered", behaviour="books_silently"),
    Plan("2601 overtakes 2207", behaviour="late"),
    Plan("2207 lost on the way", behaviour="ignores", ends="settle_unknown"),
    Plan("2207 says more than was agreed", notes=(5000, 1000), behaviour="dearer", ends="settle_undone"),
    Plan("claimed elsewhere", claimed_by="another"),
)


@pytest.fixture
def autojump_clock() -> MockClock:
    return MockClock(autojump_threshold=0)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
async def test_every_prefix_of_an_order_is_explained(
    autojump_clock: MockClock, plan: Plan, count_cuts: Callable[[str, int], None]
) -> None:
    """Uncut it ends as planned; whatever effect was the last one, every book agrees after recovery."""
    whole = await run_plan(plan, None)
    assert not whole.cut
    assert plan.ends in whole.lived
    effects = len(whole.fuse.burnt)
    cuts = 0
    for cut_at in range(effects):
        cuts += (await run_plan(plan, cut_at)).cut
    assert cuts > effects // 2, "the fuse must really burn"
    count_cuts(plan.name, cuts)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
async def test_an_order_whose_recovery_is_cut_again(autojump_clock: MockClock, plan: Plan) -> None:
    """Twice more, at seeded places: the books agree all the same."""
    chance = random.Random(plan.name)
    whole = await run_plan(plan, None)
    cuts = 0
    for _ in range(6):
        cut_at = chance.randrange(len(whole.fuse.burnt))
        cuts += (await run_plan(plan, cut_at, (chance.randrange(20), chance.randrange(20)))).cut
    assert cuts, "the fuse must really burn"
