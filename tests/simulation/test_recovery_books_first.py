"""The power goes between a credit and its commit, and once more while the kiosk recovers: the device still remembers.

Whoever lets a cash module forget before what it told is committed loses a known credit to such a second cut. Histories
come there by a pair of cuts (``simulators/deterministic/cuts.py``); here it is each place of the recovery.
"""

from collections.abc import Callable

import pytest

from tests.simulation.plans import WholePlan, live_plan

CountCuts = Callable[[str, int], None]
PLAN = WholePlan("by cash with change, cut before the credit is committed", cut_while_recovering=True)
MOMENT, AGAIN_MAX = "sync note_credited", 60


@pytest.mark.slow
@pytest.mark.parametrize("note", [0, 1])
def test_a_credit_outlives_a_recovery_that_is_cut(count_cuts: CountCuts, note: int) -> None:
    """Money-rules 14, wherever the recovery is cut, twice: every stacked note is credited, and none is in doubt."""
    effects = live_plan(PLAN).effects
    places = [place for place, effect in enumerate(effects) if effect.startswith(MOMENT)]
    cuts = 0
    for again in range(AGAIN_MAX):
        lived = live_plan(PLAN, places[note], (again, again // 2))
        assert lived.violations == [], (again, lived.effects[-3:], lived.acts)
        assert "note_uncertain" not in lived.acts, (again, lived.acts)
        cuts += lived.cut
    count_cuts(f"{PLAN.name}, note {note}", 3 * cuts)
    assert cuts == AGAIN_MAX, "the fuse must really burn"
