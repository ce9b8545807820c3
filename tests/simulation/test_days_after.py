"""Reconciliation closes what a settlement left unknown, wherever the power went, the night before or that morning."""

from collections.abc import Callable

import pytest
from trio.testing import MockClock

from tests.simulation.days_after import live_the_day_after
from tests.simulation.settlements import Plan

PLANS = (
    Plan("settled, with change"),
    Plan("by the account alone", cash_fen=0, notes=()),
    Plan("2207 refused", behaviour="refuses", drums=((1000, 9),)),
    Plan("2207 booked and the call hangs for ever", behaviour="hangs"),
    Plan("2207 lost on the way", behaviour="ignores"),
    Plan("2601 overtakes 2207", behaviour="late"),
    Plan(
        "other figures, refused",
        behaviour="changes",
        script=(("figures_changed", "refuse"),),
        drums=((1000, 9),),
    ),
    Plan("exit sensor fails at the change", sensor_fails=True),
)


@pytest.fixture
def autojump_clock() -> MockClock:
    return MockClock(autojump_threshold=0)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
async def test_every_prefix_is_known_the_day_after(
    autojump_clock: MockClock, plan: Plan, count_cuts: Callable[[str, int], None]
) -> None:
    """The visit is cut after every effect; recovery and the detail leave nothing unknown, and pay nobody."""
    whole = await live_the_day_after(plan, None)
    cuts = 0
    while (await live_the_day_after(plan, cuts)).cut:
        cuts += 1
    assert cuts, "the fuse must really burn"
    assert "reconciled" in whole.acts
    count_cuts(f"the day after: {plan.name}", cuts)


@pytest.mark.parametrize(
    ("plan", "cut_at"),
    [
        (Plan("booked, never heard", behaviour="hangs"), None),
        (Plan("never booked", behaviour="ignores"), None),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
async def test_a_morning_that_is_cut_is_begun_again(autojump_clock: MockClock, plan: Plan, cut_at: int | None) -> None:
    """The power goes after every effect of the reconciliation; the next one ends it, and nothing is booked twice."""
    whole = await live_the_day_after(plan, cut_at)
    assert whole.burnt > 4
    for morning_cut_at in range(whole.burnt):
        again = await live_the_day_after(plan, cut_at, morning_cut_at)
        assert again.acts.count("settled_late") == whole.acts.count("settled_late")
        assert again.acts.count("settle_not_booked") == whole.acts.count("settle_not_booked")


async def test_surely_not_booked_becomes_a_debt(autojump_clock: MockClock) -> None:
    """What was held for a settlement that is not in the final detail is owed to its holder, and the register hears."""
    world = await live_the_day_after(Plan("never booked", behaviour="ignores"), None)
    assert world.acts.index("settle_handed_over") < world.acts.index("settle_not_booked")
    assert "settled_late" not in world.acts


async def test_found_in_the_detail_is_settled(autojump_clock: MockClock) -> None:
    """The detail has it: settled late, as the quote said, though nobody ever answered."""
    world = await live_the_day_after(Plan("booked, never heard", behaviour="hangs"), None)
    assert "settled_late" in world.acts
    assert "settle_not_booked" not in world.acts
