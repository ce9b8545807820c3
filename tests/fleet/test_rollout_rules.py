"""Whether a wave goes on, waits or returns: decided from counts alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.rules.rollouts import Counts, Gate, Judgement, Verdict, enough, exceeded, judge

GATE = Gate()
WELL = GATE.soak_s


@pytest.mark.parametrize(
    ("counts", "well_s", "told"),
    [
        (Counts(100, succeeded=90), WELL, Judgement(Verdict.PASS)),
        (Counts(100, succeeded=90), WELL - 1, Judgement(Verdict.WAIT)),
        (Counts(100, succeeded=89), WELL, Judgement(Verdict.WAIT)),
        (Counts(100, succeeded=10, silent=90), WELL, Judgement(Verdict.WAIT)),
        (Counts(0), WELL, Judgement(Verdict.PASS)),
        (Counts(100, succeeded=94, errors=6), WELL, Judgement(Verdict.RETURN, "errors")),
        (Counts(100, succeeded=95, errors=5), WELL, Judgement(Verdict.PASS)),
        (Counts(10, errors=1), 0, Judgement(Verdict.RETURN, "errors")),
        (Counts(100, succeeded=80, overdue=11), 0, Judgement(Verdict.RETURN, "overdue")),
        (Counts(100, 95, sessions=19, failed_interactions=19), WELL, Judgement(Verdict.PASS)),
        (Counts(100, 95, sessions=20, failed_interactions=2), WELL, Judgement(Verdict.RETURN, "failed_interactions")),
        (Counts(10, 10, unsent_growth=51), WELL, Judgement(Verdict.RETURN, "unsent")),
        (Counts(10, 10, unsent_growth=50), WELL, Judgement(Verdict.PASS)),
    ],
)
def test_a_wave_is_judged_by_its_bounds(counts: Counts, well_s: float, told: Judgement) -> None:
    """Each bound by itself, at its edge."""
    assert judge(GATE, counts, well_s) == told


_NUMBERS = st.integers(0, 500)


@given(st.builds(Counts, _NUMBERS, _NUMBERS, _NUMBERS, _NUMBERS, _NUMBERS, _NUMBERS, _NUMBERS, _NUMBERS), _NUMBERS)
def test_nothing_bad_passes(counts: Counts, well_s: float) -> None:
    """Whatever the counts: a wave that exceeds a bound returns, and one with too few successes never passes."""
    told = judge(GATE, counts, well_s)
    assert (told.verdict is Verdict.RETURN) == bool(exceeded(GATE, counts))
    assert told.verdict is not Verdict.PASS or enough(GATE, counts)
