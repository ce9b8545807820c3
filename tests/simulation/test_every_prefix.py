"""The power is cut after every single effect of a settlement; afterwards every fen has an owner."""

import random
from collections.abc import Callable

import pytest
from trio.testing import MockClock

from tests.simulation.settlements import Plan, run_plan

PLANS = (
    Plan("exact change by the platform's figures"),
    Plan("exact notes", notes=(5000, 1000), outlet=0),
    Plan("by the account alone", cash_fen=0, notes=(), outlet=0),
    Plan("by the account alone, 2207 never answered", cash_fen=0, notes=(), outlet=0, behaviour="books_silently"),
    Plan("2207 refused", behaviour="refuses", ends="settle_refused", outlet=7000, drums=((1000, 9),)),
    Plan("2207 booked and never answered", behaviour="books_silently"),
    Plan("2207 booked and the call hangs for ever", behaviour="hangs", ends="settle_handed_over", outlet=0),
    Plan("2207 lost on the way", behaviour="ignores", ends="settle_handed_over", outlet=0),
    Plan("2601 overtakes 2207", behaviour="late"),
    Plan("2207 says other figures, accepted", behaviour="changes", outlet=2000),
    Plan(
        "2207 says other figures, refused",
        behaviour="changes",
        script=(("figures_changed", "refuse"),),
        ends="voided",
        outlet=7000,
        drums=((1000, 9),),
    ),
    Plan(
        "resident stops with notes inside",
        notes=(2000,),
        script=(("feed_notes", [None, "stop"]),),
        ends="settlement_undone",
        outlet=2000,
    ),
    Plan(
        "resident walks away with notes inside",
        notes=(2000,),
        ends="debt_owed",
        outlet=0,
    ),
    Plan("nothing to give change with", drums=(), notes=(5000, 500, 500), outlet=0),
    Plan("change is owed below the smallest note", notes=(5000, 2000), drums=((500, 9),), outlet=1000),
    Plan("a note too many is on its way back when change is due", busy_times=2),
    Plan("exit sensor fails at the change", sensor_fails=True, ends="dispense_uncertain"),
    Plan("more is due than was quoted", behaviour="dearer", notes=(5000, 1000, 2000, 1000), outlet=0),
    Plan("by card", bank=True, cash_module=False, notes=(), outlet=0),
    Plan(
        "declined by the bank, then in notes",
        bank=True,
        refuse_code="51",
        notes=(5000, 2000),
        script=(("card_not_paid", "cash"),),
    ),
    Plan("declined by the bank, then undone", bank=True, refuse_code="51", notes=(), outlet=0, ends="settle_undone"),
    Plan(
        "by card, the bank's answer is lost, then in notes",
        bank=True,
        lost_at_bank=(("0200", 1),),
        notes=(5000, 2000),
        script=(("card_not_paid", "cash"),),
    ),
    Plan(
        "by card, the bank is silent for long",
        bank=True,
        cash_module=False,
        lost_at_bank=(("0200", 1), ("0400", 4)),
        notes=(),
        outlet=0,
        ends="settle_handed_over",
    ),
    Plan(
        "by card, pulled after the approval",
        bank=True,
        cash_module=False,
        pull_at=2,
        notes=(),
        outlet=0,
        ends="settle_undone",
    ),
    Plan("by card, half is approved", bank=True, refuse_code="10", notes=(), outlet=0, ends="settle_undone"),
    Plan("by card, 2207 booked and never answered", bank=True, behaviour="books_silently", notes=(), outlet=0),
    Plan(
        "by card, 2207 lost on the way",
        bank=True,
        behaviour="ignores",
        notes=(),
        outlet=0,
        ends="settle_handed_over",
    ),
)


@pytest.fixture
def autojump_clock() -> MockClock:
    return MockClock(autojump_threshold=0)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
async def test_uncut_life_leaves_clean_books(autojump_clock: MockClock, plan: Plan) -> None:
    """Without any cut the story ends as planned, the change is what is due, and the books balance."""
    world = await run_plan(plan, None)
    assert not world.cut
    assert plan.ends in world.acts
    assert world.cash.outlet == plan.outlet


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
async def test_every_prefix_of_a_settlement_is_explained(
    autojump_clock: MockClock, plan: Plan, count_cuts: Callable[[str, int], None]
) -> None:
    """Whatever effect was the last one, every book agrees after recovery, and recovery pays nobody."""
    whole = await run_plan(plan, None)
    effects = len(whole.fuse.burnt)
    cuts = 0
    for cut_at in range(effects):
        world = await run_plan(plan, cut_at)
        cuts += world.cut
    # Effects of the recovery itself are counted too, but cut no visit short.
    assert cuts > effects // 2, "the fuse must really burn"
    count_cuts(plan.name, cuts)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
async def test_power_that_fails_again_and_again(autojump_clock: MockClock, plan: Plan) -> None:
    """A recovery that is itself cut, twice, at seeded places, leaves books that agree all the same."""
    chance = random.Random(plan.name)
    whole = await run_plan(plan, None)
    cuts = 0
    for _ in range(12):
        cut_at = chance.randrange(len(whole.fuse.burnt))
        world = await run_plan(plan, cut_at, (chance.randrange(8), chance.randrange(8)))
        cuts += world.cut
    assert cuts, "the fuse must really burn"
