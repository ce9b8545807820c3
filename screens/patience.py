"""How long a page may wait for its drawing.

Drawing one takes 10 to 30 ms of the thread that also sets hosts, devices and the PIN process going. Where something was
just set going, that goes first, and the glass follows while it works.
"""

from collections.abc import Callable

from kiosk.ports import Question, Stars, Waiting

BRIEF_S = 0.1  # a wait that is over by then is felt as none, and its page would only be a flicker
SET_GOING_S = 0.015  # until threads run, commands are on their lines, and the PIN process is started
ANSWERED_S = 0.03  # the page of the answer comes most times within this: the ring around it need not be drawn


DrawnAfter = Callable[[Question, bool], float]


def drawn_after_s(question: Question, asked: bool) -> float:
    """Seconds from now. ``asked``: somebody waits for the resident's answer, and not only for the end of a job."""
    match question.body:
        case Waiting():
            return BRIEF_S
        case Stars():  # asked, but the pad answers, and its process takes longer to start than the page to draw
            return SET_GOING_S
    return 0.0 if asked else SET_GOING_S
