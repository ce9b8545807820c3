"""The power is cut after every effect of giving a deposit back: nothing is paid twice, or before the hospital's yes."""

from collections.abc import Callable

import pytest
from trio.testing import MockClock

from tests.simulation.deposit_refunds import Plan, live_a_refund

LOST_VOID, LOST_REFUND = (("0200", 1),), (("0220", 1),)
PLANS = (
    Plan("in notes"),
    Plan("partly owed", drums=((5000, 2),), ends="debt_owed"),
    Plan("the hospital refuses", undo="refuses", ends="deposit_undo_refused"),
    Plan("undone, never heard", undo="undoes_silently", ends="deposit_given_back_late"),
    Plan("never arrives", undo="ignores", ends="deposit_given_back_late"),
    Plan("exit sensor fails", sensor_fails=True, ends="dispense_uncertain"),
    Plan("void of the same day", by_card=True, ends="bank_given_back"),
    Plan("refund of another day", by_card=True, paid_on="0101", ends="bank_given_back"),
    Plan("by card, undone, never heard", undo="undoes_silently", by_card=True, ends="deposit_given_back_late"),
    Plan("by card, the bank never heard", by_card=True, lost=LOST_VOID, ends="bank_not_given_back"),
    Plan("refused late, void", by_card=True, refused=True, ends="bank_given_back"),
    Plan("refused late, refund", by_card=True, refused=True, paid_on="0101", ends="bank_given_back"),
    Plan(
        "refused late, the bank never heard",
        by_card=True,
        refused=True,
        paid_on="0101",
        lost=LOST_REFUND,
        ends="bank_not_given_back",
    ),
)


@pytest.fixture
def autojump_clock() -> MockClock:
    return MockClock(autojump_threshold=0)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
async def test_every_prefix_of_a_deposit_refund_is_explained(
    autojump_clock: MockClock, plan: Plan, count_cuts: Callable[[str, int], None]
) -> None:
    """Whatever effect was the last one: one undoing, one dispense at most, and every fen has an owner."""
    whole = await live_a_refund(plan, None)
    assert plan.ends in whole.acts
    cuts = 0
    while (await live_a_refund(plan, cuts)).cut:
        cuts += 1
    assert cuts >= 3, "the fuse must really burn"
    count_cuts(f"deposit refund: {plan.name}", cuts)
