"""When the power goes in a history: anywhere, where it hurts, again while the kiosk recovers, and in pairs.

A pair is aimed: the first cut at the commit of what a cash module has just done, the second at the recovery's own
commit of the same. Between the two only the device remembers, and two cuts by chance hardly ever meet there.
"""

import random

from simulators.deterministic.fuse import Fuse

# Where, and within how many effects: anywhere in the first steps, in a short visit, in a payment; or where it hurts.
CUT_WITHIN = (
    ("", 12),
    ("", 40),
    ("", 130),
    ("cash ", 20),
    ("sync note", 12),
    ("sync dispens", 2),
    ("sync debt", 3),
    ("sync settle", 3),
    ("sync receipt", 3),
    ("22", 6),
    ("hospital ", 10),
    ("bank ", 5),
)
# Of a cut: the power goes once more while the kiosk recovers, often between what a cash module tells and forgets.
CUT_AGAIN_CHANCE = 0.35
CUT_AGAIN_WITHIN = (("", 3), ("", 12), ("", 30), ("cash ", 6), ("cash ", 12))
STAFF_CUT_WITHIN = 30  # effects
# The commit that the first cut prevents, and the recovery's own, before or after which the second one falls.
PAIRS = (("sync note_credited", "sync note_credited"), ("sync dispensed", "sync dispens"))
PAIR_WITHIN = 2  # of the first: this one, or the next
PAIR_FROM = 6  # sessions: it waits from one of the first ones on until notes are fed, which may never be


class Cuts:
    """``chance``: the history's own, of which each lighting draws as often as it always did. ``of_a_session``: how
    probable a cut is, and a pair in a history; with ``ever`` off there is none, and the same is drawn. Pairs have a
    stream of their own.
    """

    def __init__(self, seed: int, fuse: Fuse, chance: random.Random, of_a_session: float, *, ever: bool) -> None:
        self._fuse, self._chance, self._of_a_session, self._ever = fuse, chance, of_a_session, ever
        self._pairs = random.Random(f"{seed} pairs")
        self._sessions = 0
        self._pair_from = self._pairs.randrange(PAIR_FROM) if self._pairs.random() < of_a_session else None
        self._second = ""  # what the second cut of a pair is aimed at, while the first one waits

    def light_for_session(self, *, in_notes: bool) -> None:
        """``in_notes``: whoever comes means to pay so."""
        cut, (aim, within) = self._chance.random() < self._of_a_session, self._chance.choice(CUT_WITHIN)
        left = bool(aim) + self._chance.randrange(within)  # aimed: after that many of them
        self._second = ""
        self._fuse.light(left if cut and self._ever else None, aim)
        self._sessions += 1
        if in_notes and self._ever and not cut and self._pair_from is not None and self._sessions > self._pair_from:
            first, self._second = self._pairs.choice(PAIRS)
            self._fuse.light(self._pairs.randrange(PAIR_WITHIN), first, just_before=True)

    @property
    def of_power(self) -> bool:
        """What ends in a pair is the power: a process that is killed in a commit leaves the commit behind."""
        return bool(self._second)

    def light_for_staff(self) -> None:
        cut = self._chance.random() < self._of_a_session / 2
        self._fuse.light(self._chance.randrange(STAFF_CUT_WITHIN) if cut and self._ever else None)

    def light_again(self) -> None:
        """For the life that begins now, and recovers."""
        if self._chance.random() < CUT_AGAIN_CHANCE:
            aim, within = self._chance.choice(CUT_AGAIN_WITHIN)
            self._fuse.light(self._chance.randrange(within), aim)
        if self._second:
            just_before = self._pairs.random() < 0.5
            self._fuse.light(0 if just_before else 1, self._second, just_before=just_before)
            self._second, self._pair_from = "", None

    def put_out(self) -> None:
        self._fuse.light(None)
