"""The process dies while notes go out, and the cash module goes on: what it counted out by itself is booked as paid."""

from collections.abc import Callable

from tests.simulation.plans import WholePlan, live_plan

CountCuts = Callable[[str, int], None]
PLAN = WholePlan("by cash with change, and the process dies alone", kiosk_dies_alone=True)
DISPENSE = "cash 02010a3c"  # CCNET, to the Bill-to-Bill unit


def test_a_payout_that_ends_by_itself_is_no_suspense(count_cuts: CountCuts) -> None:
    """Money-rules 15: the change that a hand took is paid, whoever was alive to see it; nothing is paid twice."""
    effects = live_plan(PLAN).effects
    told = next(place for place, effect in enumerate(effects) if effect.startswith(DISPENSE))
    cuts = 0
    for cut_at in range(told + 1, effects.index("sync receipt_intent")):
        lived = live_plan(PLAN, cut_at)
        assert lived.violations == [], (cut_at, lived.effects[-3:], lived.acts)
        assert "dispensed" in lived.acts and "dispense_uncertain" not in lived.acts, (cut_at, lived.acts)
        cuts += lived.cut
    count_cuts(PLAN.name, cuts)
    assert cuts >= 12, "the fuse must really burn"
