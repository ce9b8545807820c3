"""Where the one note in a validator's path is, whatever the protocol. Sans-IO: signals in, at most one outcome each.

A device tells states, and tells them again and again; an acknowledgement may be lost, a poll may miss a state. What may
be booked is decided by this table and by nothing else: a credit needs a STACK of ours since the last credit, so that no
repetition is a second one (docs/adr/0013-cash-is-acknowledged-after-the-commit.md).
"""

from enum import Enum, auto


class Phase(Enum):
    CLEAR = auto()
    ARRIVING = auto()
    ESCROW = auto()  # decided by nobody yet
    TO_STACK = auto()  # STACK was sent, or may have been
    TO_RETURN = auto()
    LOST = auto()  # there was a note and nobody knows where it is


class Signal(Enum):
    """What a device's state means for the note."""

    REST = auto()  # idling or disabled: nothing in the path
    ARRIVING = auto()
    ESCROW = auto()
    MOVING = auto()  # stacking, returning, busy: it will be told what came of it
    STACKED = auto()
    RETURNED = auto()
    REJECTED = auto()
    TROUBLE = auto()  # jam, failure


class Outcome(Enum):
    ESCROW = auto()
    CREDIT = auto()
    RETURNED = auto()
    REJECTED = auto()
    UNCERTAIN = auto()
    UNASKED = auto()  # stacked without a STACK of ours: no credit, suspense


_P, _S, _O = Phase, Signal, Outcome
INSIDE = (_P.ESCROW, _P.TO_STACK, _P.TO_RETURN)

# What is not listed changes nothing and says nothing.
TRANSITIONS: dict[tuple[Phase, Signal], tuple[Phase, Outcome | None]] = {
    (_P.CLEAR, _S.ARRIVING): (_P.ARRIVING, None),
    (_P.CLEAR, _S.ESCROW): (_P.ESCROW, _O.ESCROW),
    (_P.CLEAR, _S.STACKED): (_P.CLEAR, _O.UNASKED),
    (_P.CLEAR, _S.REJECTED): (_P.CLEAR, _O.REJECTED),
    (_P.CLEAR, _S.RETURNED): (_P.CLEAR, _O.RETURNED),
    (_P.ARRIVING, _S.REST): (_P.CLEAR, None),
    (_P.ARRIVING, _S.ESCROW): (_P.ESCROW, _O.ESCROW),
    (_P.ARRIVING, _S.STACKED): (_P.CLEAR, _O.UNASKED),
    (_P.ARRIVING, _S.REJECTED): (_P.CLEAR, _O.REJECTED),
    (_P.ARRIVING, _S.RETURNED): (_P.CLEAR, _O.RETURNED),
    (_P.ARRIVING, _S.TROUBLE): (_P.CLEAR, None),  # not in escrow: still the customer's, and seen to be
    # Without a STACK a note cannot have been stacked: what left escrow by itself went back.
    (_P.ESCROW, _S.REST): (_P.CLEAR, _O.RETURNED),
    (_P.ESCROW, _S.ARRIVING): (_P.ARRIVING, _O.RETURNED),
    (_P.ESCROW, _S.STACKED): (_P.CLEAR, _O.UNASKED),
    (_P.ESCROW, _S.RETURNED): (_P.CLEAR, _O.RETURNED),
    (_P.ESCROW, _S.REJECTED): (_P.CLEAR, _O.RETURNED),
    (_P.ESCROW, _S.TROUBLE): (_P.LOST, _O.UNCERTAIN),
    # REST does not end TO_STACK: the STACK may just have crossed a poll. The driver's deadline does.
    (_P.TO_STACK, _S.STACKED): (_P.CLEAR, _O.CREDIT),
    (_P.TO_STACK, _S.RETURNED): (_P.CLEAR, _O.RETURNED),
    (_P.TO_STACK, _S.REJECTED): (_P.CLEAR, _O.RETURNED),
    (_P.TO_STACK, _S.TROUBLE): (_P.LOST, _O.UNCERTAIN),
    (_P.TO_RETURN, _S.REST): (_P.CLEAR, _O.RETURNED),
    (_P.TO_RETURN, _S.ARRIVING): (_P.ARRIVING, _O.RETURNED),
    (_P.TO_RETURN, _S.STACKED): (_P.CLEAR, _O.UNASKED),
    (_P.TO_RETURN, _S.RETURNED): (_P.CLEAR, _O.RETURNED),
    (_P.TO_RETURN, _S.REJECTED): (_P.CLEAR, _O.RETURNED),
    (_P.TO_RETURN, _S.TROUBLE): (_P.LOST, _O.UNCERTAIN),
    (_P.LOST, _S.ARRIVING): (_P.ARRIVING, None),
    (_P.LOST, _S.ESCROW): (_P.ESCROW, _O.ESCROW),
    (_P.LOST, _S.STACKED): (_P.CLEAR, _O.CREDIT),
    (_P.LOST, _S.RETURNED): (_P.CLEAR, _O.RETURNED),
}


class NotePath:
    """Follows one note."""

    def __init__(self) -> None:
        self.phase = Phase.CLEAR
        self._told: Signal | None = None
        self._was_stacking = False

    def take(self, signal: Signal, *, repeats: bool = False) -> Outcome | None:
        """What the signal means. ``repeats``: the device tells this until acknowledged, so the same again is one."""
        if repeats and self._told is signal:
            return None
        self._told = signal if repeats else None
        lost_while_returning = self.phase is Phase.LOST and signal is Signal.STACKED and not self._was_stacking
        self.phase, outcome = TRANSITIONS.get((self.phase, signal), (self.phase, None))
        if outcome is Outcome.ESCROW:
            self._was_stacking = False
        return Outcome.UNASKED if lost_while_returning else outcome

    def stack_sent(self) -> None:
        assert self.phase in (Phase.ESCROW, Phase.TO_STACK)
        self.phase, self._was_stacking = Phase.TO_STACK, True

    def return_sent(self) -> None:
        assert self.phase in (Phase.ESCROW, Phase.TO_RETURN)
        self.phase, self._was_stacking = Phase.TO_RETURN, False

    def still_in_escrow(self) -> None:
        """The device says that it has not acted on our command."""
        assert self.phase in (Phase.TO_STACK, Phase.TO_RETURN)
        self.phase, self._was_stacking = Phase.ESCROW, False

    def give_up(self) -> Outcome | None:
        """Too long without a word about the note."""
        if self.phase not in INSIDE:
            return None
        self.phase = Phase.LOST
        return Outcome.UNCERTAIN
