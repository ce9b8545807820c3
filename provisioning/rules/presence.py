"""Whether one terminal or two speak with one identity: a copied disk has the same key, but lives for itself.

The agent counts its starts on its disk (``boot``) and draws a number at each of them (``run``). A copy counts on from
the same number and draws another one; whichever of the two starts first after the copy looks like an ordinary restart,
and is found out as soon as the other speaks again.
"""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True)
class Life:
    boot: int
    run: str


NOBODY = Life(0, "")


class Finding(Enum):
    SPEAKS = "speaks"  # the one that we know
    FIRST = "first"  # nobody spoke before
    LATER = "later"  # it was started anew
    SECOND = "second"  # another one speaks already: this one is refused until a person decides
    RETURNED = "returned"  # it was thought to be over, and the one after it is refused now


def judge(speaks: Life, before: Life, asks: Life, refused: Life = NOBODY, doubted: bool = False) -> Finding:
    """``speaks``: whom we believe now; ``before``: whom before that. An agent that told nothing is ``NOBODY``, and as
    long as none ever told anything there is nothing to doubt. ``refused``: whom people or we did not believe.
    ``doubted``: two were seen, so a start that looks like the next one may be the other's; until people decide nobody
    follows."""
    if asks == speaks:
        return Finding.SPEAKS
    if speaks == NOBODY:
        return Finding.FIRST
    if asks == before != NOBODY:
        return Finding.RETURNED
    if asks == refused != NOBODY:
        return Finding.SECOND
    return Finding.LATER if asks.boot > speaks.boot and not doubted else Finding.SECOND
