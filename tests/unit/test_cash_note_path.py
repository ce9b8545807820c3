"""The one table that decides what is a credit."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.cash_module.note_path import TRANSITIONS, NotePath, Outcome, Phase, Signal

STEPS = st.lists(st.sampled_from([*Signal, "stack", "return", "silence"]), max_size=40)


def drive(path: NotePath, steps: list[Signal | str]) -> list[tuple[Signal | str, Outcome | None]]:
    """Take steps; commands only where the driver would send them."""
    taken: list[tuple[Signal | str, Outcome | None]] = []
    for step in steps:
        if isinstance(step, Signal):
            taken.append((step, path.take(step, repeats=step in (Signal.STACKED, Signal.RETURNED))))
        elif step == "silence":
            taken.append((step, path.give_up()))
        elif path.phase is Phase.ESCROW:
            (path.stack_sent if step == "stack" else path.return_sent)()
            taken.append((step, None))
    return taken


@given(STEPS)
def test_never_more_credits_than_stack_commands(steps: list[Signal | str]) -> None:
    """Whatever a device says, and however often: one STACK of ours, at most one credit."""
    taken = drive(NotePath(), steps)
    credited = stacks = 0
    for step, outcome in taken:
        stacks += step == "stack"
        credited += outcome is Outcome.CREDIT
        assert credited <= stacks


@given(STEPS, st.integers(1, 5))
def test_telling_again_says_nothing_new(steps: list[Signal | str], times: int) -> None:
    """A device that repeats its event until acknowledged is heard once."""
    path = NotePath()
    drive(path, [*steps, Signal.STACKED])
    assert [path.take(Signal.STACKED, repeats=True) for _ in range(times)] == [None] * times


@given(STEPS)
def test_no_note_vanishes(steps: list[Signal | str]) -> None:
    """Every escrow ends in credit, return, suspense, or is still open."""
    path = NotePath()
    open_notes = 0
    for _, outcome in drive(path, steps):
        open_notes += outcome is Outcome.ESCROW
        if outcome in (Outcome.CREDIT, Outcome.RETURNED, Outcome.UNCERTAIN, Outcome.UNASKED):
            open_notes = 0
        assert open_notes <= 1
    assert open_notes == (path.phase in (Phase.ESCROW, Phase.TO_STACK, Phase.TO_RETURN))


def test_only_a_stack_of_ours_leads_to_credit() -> None:
    """The table itself: credit comes from TO_STACK, or from a note lost on that way."""
    credited_from = {phase for (phase, _), (_, outcome) in TRANSITIONS.items() if outcome is Outcome.CREDIT}
    assert credited_from == {Phase.TO_STACK, Phase.LOST}
    path = NotePath()
    for signal in (Signal.ESCROW, Signal.TROUBLE):
        path.take(signal)
    assert path.take(Signal.STACKED) is Outcome.UNASKED
