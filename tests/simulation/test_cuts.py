"""Where the power goes in a history: aimed cuts, and pairs of which the second one falls into the recovery."""

import random

import pytest

from simulators.deterministic.cuts import PAIR_FROM, PAIRS, Cuts
from simulators.deterministic.fuse import Fuse, PowerCut

SESSIONS = 12


def test_an_aimed_cut_waits_for_the_very_effect_that_it_prevents() -> None:
    """Others happen before it, so does one more of its kind where one is to be left, and then it does not happen."""
    fuse = Fuse(armed=True)
    fuse.light(1, "sync note", just_before=True)
    for effect in ("cash 33", "sync note_credited", "cash 30"):
        fuse.burn(effect)
    with pytest.raises(PowerCut):
        fuse.burn("sync note_credited")
    assert fuse.burnt == ["cash 33", "sync note_credited", "cash 30"]


def _lit(seed: int, *, in_notes: bool) -> tuple[list[tuple[int | None, str, bool]], object]:
    """How the fuse stood in each session of a history in which no power went, and where the shared chance ended."""
    fuse, chance = Fuse(armed=True), random.Random(seed)
    cuts = Cuts(seed, fuse, chance, 0.4, ever=True)
    stood = []
    for _ in range(SESSIONS):
        cuts.light_for_session(in_notes=in_notes)
        stood.append((fuse.left, fuse.aim, fuse.just_before))
    return stood, chance.getstate()


def test_pairs_wait_in_sessions_without_another_cut_and_draw_from_no_other_stream() -> None:
    """Whether notes are fed changes no other cut and nothing that is drawn after it."""
    paired = 0
    for seed in range(20):
        (with_notes, after), (without, as_well) = _lit(seed, in_notes=True), _lit(seed, in_notes=False)
        assert after == as_well
        for number, (one, other) in enumerate(zip(with_notes, without, strict=True)):
            waits = other[0] is None and one[2]
            assert waits or one == other
            assert not waits or one[1] in dict(PAIRS)
            paired += waits and number >= PAIR_FROM - 1
    assert paired


def test_the_second_cut_of_a_pair_is_aimed_at_the_recovery_of_the_first() -> None:
    """Before or after the recovery's own commit of what the first cut prevented; a pair comes once in a history."""
    seconds = set()
    for seed in range(60):
        fuse = Fuse(armed=True)
        cuts = Cuts(seed, fuse, random.Random(seed), 0.4, ever=True)
        for _ in range(SESSIONS):
            cuts.light_for_session(in_notes=True)
            if cuts.of_power:
                first = fuse.aim
                cuts.light_again()
                seconds.add((first, fuse.aim, fuse.left, fuse.just_before))
                cuts.light_for_session(in_notes=True)
                assert not cuts.of_power
    assert seconds == {(*pair, left, left == 0) for pair in PAIRS for left in (0, 1)}
