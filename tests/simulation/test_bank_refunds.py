"""The power is cut after every effect of a refund to a bank card; the day after bank, platform and journal agree."""

from collections.abc import Callable

import pytest
from trio.testing import MockClock

from tests.simulation.bank_refunds import BankRefundPlan, live_a_bank_refund

PLANS = (
    BankRefundPlan("void of the same day", ends="bank_given_back"),
    BankRefundPlan("refund of another day", paid_on="0101", ends="bank_given_back"),
    BankRefundPlan("void booked, never heard", lost=(("0200", 1),), ends="bank_not_given_back"),
    BankRefundPlan("refund booked, never heard", paid_on="0101", lost=(("0220", 1),), ends="bank_not_given_back"),
    BankRefundPlan("the bank refuses", refuse_code="05", ends="bank_not_given_back"),
    BankRefundPlan("2208 never arrives", void="lost", ends="refund_not_booked"),
)


@pytest.fixture
def autojump_clock() -> MockClock:
    return MockClock(autojump_threshold=0)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
async def test_every_prefix_of_a_bank_refund_is_explained(
    autojump_clock: MockClock, plan: BankRefundPlan, count_cuts: Callable[[str, int], None]
) -> None:
    """Whatever effect was the last one: nobody is paid twice, and what the bank still has is known to the fen."""
    whole = await live_a_bank_refund(plan, None)
    assert plan.ends in whole.acts
    cuts = 0
    while (await live_a_bank_refund(plan, cuts)).cut:
        cuts += 1
    assert cuts >= 3, "the fuse must really burn"
    count_cuts(f"bank refund: {plan.name}", cuts)
