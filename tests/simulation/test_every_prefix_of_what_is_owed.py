"""The power is cut after every single effect of a deposit and a payout: every fen and every paper is found again."""

import random
from collections.abc import Callable

import pytest
from trio.testing import MockClock

from kiosk.domain.entries import Facts
from tests.simulation.owed import Plan, run_plan

DEPOSIT, MONEY = "pay_inpatient_deposit", "collect_money"
FIRST = (("choose_debt", "QK00000001"),)
SETTLED: Facts = {"message_id": "m1", "settlement_id": "s1", "total_fen": 25_000, "cash_fen": 6000, "receipt_owed": 1}
CARD = (("choose_means", "bank_card"), ("card_not_paid", "undo"))
PAPER = (("choose_receipt", "1"),)
PLANS = (
    Plan("a reprint of what may be out already", "collect_receipt", before=(("settled", SETTLED),), script=PAPER),
    Plan(
        "the first print of what became known late",
        "collect_receipt",
        before=(("settled_late", SETTLED),),
        script=PAPER,
    ),
    Plan("a deposit in two notes", DEPOSIT, (10_000, 10_000), ends="deposited"),
    Plan(
        "a deposit with change",
        DEPOSIT,
        (10_000, 5000),
        drums=((1000, 9),),
        script=(("choose_deposit", "other"), ("type_deposit", ["#130"])),
        ends="deposited",
        outlet=2000,
    ),
    Plan(
        "a deposit that is refused",
        DEPOSIT,
        (10_000, 10_000),
        drums=((5000, 9),),
        deposit_habit="refuses",
        outlet=20_000,
    ),
    Plan("a deposit that is credited in silence", DEPOSIT, (10_000, 10_000), deposit_habit="credits_silently"),
    Plan("a deposit that never arrives", DEPOSIT, (10_000, 10_000), deposit_habit="ignores"),
    Plan("a deposit whose resident walks away", DEPOSIT, (10_000,), ends="debt_owed"),
    Plan("a deposit by card", DEPOSIT, bank=True, script=CARD, ends="deposited"),
    Plan("a deposit by card that is refused", DEPOSIT, bank=True, script=CARD, deposit_habit="refuses"),
    Plan("a deposit by card, the hospital silent", DEPOSIT, bank=True, script=CARD, deposit_habit="ignores"),
    Plan("a deposit by card, the bank silent once", DEPOSIT, bank=True, script=CARD, lost_at_bank=(("0200", 1),)),
    Plan("a debt paid whole", MONEY, debts=(2500,), script=FIRST, ends="debt_paid_out", outlet=2500),
    Plan("a debt that notes pay in part", MONEY, debts=(1250,), script=FIRST, ends="debt_paid_out", outlet=1200),
    Plan("a reserve without an answer", MONEY, debts=(2500,), script=FIRST, register_habit="reserves_silently"),
    Plan(
        "a payout that the exit sensor did not see", MONEY, debts=(2500,), script=FIRST, sensor_fails=True, outlet=2500
    ),
    Plan("a payout while a note is on its way", MONEY, debts=(2500,), script=FIRST, busy_times=1, outlet=2500),
)


@pytest.fixture
def autojump_clock() -> MockClock:
    return MockClock(autojump_threshold=0)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
async def test_uncut_life_leaves_clean_books(autojump_clock: MockClock, plan: Plan) -> None:
    """Without any cut the story ends as planned, and what is in the outlet is what is due."""
    world = await run_plan(plan, None)
    assert not world.cut
    assert plan.ends in {"", *world.ended_with}
    assert world.cash.outlet == plan.outlet


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
async def test_every_prefix_is_explained(
    autojump_clock: MockClock, plan: Plan, count_cuts: Callable[[str, int], None]
) -> None:
    """Whatever effect was the last one, books and papers agree after recovery, and recovery pays nobody."""
    whole = await run_plan(plan, None)
    effects = len(whole.fuse.burnt)
    cuts = 0
    for cut_at in range(effects):
        world = await run_plan(plan, cut_at)
        if not world.cut:
            break
        cuts += 1
    assert cuts >= (6 if plan.before else 10), "the fuse must really burn"
    count_cuts(plan.name, cuts)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
async def test_power_that_fails_again_and_again(autojump_clock: MockClock, plan: Plan) -> None:
    """A recovery that is itself cut, twice, at seeded places, leaves books and papers that agree all the same."""
    chance = random.Random(plan.name)
    effects_max, cuts = 6 if plan.before else 24, 0
    for _ in range(8):
        world = await run_plan(plan, chance.randrange(effects_max), (chance.randrange(8), chance.randrange(8)))
        cuts += world.cut
    assert cuts, "the fuse must really burn"
