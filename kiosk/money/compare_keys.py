"""Comparing acts that may be told days after they began, and repeated by their key: a day's own, and what it touches.

Which day an act is booked on there does not follow from when it began here, so each side is taken over some days, and
a day judges what became known on it on either side.
"""

from collections.abc import Sequence
from datetime import date

from kiosk.domain.statement import Act, Comparison
from kiosk.money.reconcile import compare

Known = dict[str, tuple[date, Act]]  # by key: when it became as it stands, and the act
Booked = tuple[date, Act]  # when the other side booked it


def compare_keys(day: date, known: Known, booked: Sequence[Booked]) -> Comparison:
    """``known``, ``booked``: of ``day`` and the days before it. What either side has of the day is looked up in all
    that the other side told."""
    of_the_day = {act.key for booked_on, act in booked if booked_on == day}
    ours = {key: act for key, (since, act) in known.items() if since == day or key in of_the_day}
    theirs = [act for _, act in booked if act.key in ours or act.key in of_the_day]
    return compare(ours.values(), theirs)
