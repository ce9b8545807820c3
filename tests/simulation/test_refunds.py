"""The power is cut after every effect of a refund: nothing is paid twice or before 2208; the day after all is known."""

from collections.abc import Callable

import pytest
from trio.testing import MockClock

from tests.simulation.refunds import CASH, RefundPlan, live_a_refund

PLANS = (
    RefundPlan("in notes"),
    RefundPlan("partly owed", drums=((1000, 4),)),
    RefundPlan("nothing to pay with", drums=(), ends="debt_owed"),
    RefundPlan("undone, never heard", void="silent", ends="refunded_late"),
    RefundPlan("2208 never arrives", void="lost", ends="refund_not_booked"),
    RefundPlan("exit sensor fails", sensor_fails=True, ends="dispense_uncertain"),
)


@pytest.fixture
def autojump_clock() -> MockClock:
    return MockClock(autojump_threshold=0)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
async def test_every_prefix_of_a_refund_is_explained(
    autojump_clock: MockClock, plan: RefundPlan, count_cuts: Callable[[str, int], None]
) -> None:
    """Whatever effect was the last one: one void, one dispense at most, and every fen has an owner."""
    whole = await live_a_refund(plan, None)
    assert plan.ends in whole.acts
    cuts = 0
    while (await live_a_refund(plan, cuts)).cut:
        cuts += 1
    assert cuts >= 3, "the fuse must really burn"
    count_cuts(f"refund: {plan.name}", cuts)


async def test_the_whole_amount_comes_back(autojump_clock: MockClock) -> None:
    """Without any cut the holder has all of it in notes."""
    world = await live_a_refund(RefundPlan("in notes"), None)
    assert world.cash.outlet == CASH
