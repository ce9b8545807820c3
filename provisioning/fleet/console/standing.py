"""How terminals stand, asked of the database: one word for each, worst first in ``words.STANDING``.

A terminal is silent when it missed its polls; what it said before is then no longer taken for the truth.
"""

from collections import Counter
from typing import Any

import peewee

from provisioning.fleet.console.visit import Visit
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.terminals import Terminal, TerminalHealth
from provisioning.fleet.settings import Polls

GRACE_S = 60.0  # for a slow line and the second in which reports are gathered
# As reports are written (``provisioning.fleet.live``): compact JSON, the condition first.
BAD_SLOTS = ('{"condition":"fault"', '{"condition":"unknown"', '{"condition":"degraded"')


def standing(polls: Polls, at_ms: int) -> Any:
    """A column for questions over Terminal left joined with TerminalHealth."""
    seen, late_s = TerminalHealth.seen_ms, Terminal.sleep_s * polls.overdue_polls + GRACE_S
    silent = seen.is_null() | (seen < at_ms - late_s * 1000)
    wants = (TerminalHealth.desired_trouble != "") | _any_slot(BAD_SLOTS)
    cases = [
        (Terminal.state != "active", Terminal.state),
        (silent, "silent"),
        (Terminal.in_service == False, "out_of_service"),  # noqa: E712 - a question to the database
        (TerminalHealth.serving == False, "trouble"),  # noqa: E712 - as above
        (wants, "attention"),
    ]
    return peewee.Case(None, cases, "serving")


def slot_is(slot: str, condition: str) -> Any:
    """For a question: this slot reported this condition."""
    return _report().contains(f'"{slot}":{{"condition":"{condition}"')


def terminals(visit: Visit) -> Any:
    """A question for all terminals that this person may see, with place, health and ``standing``."""
    column = standing(visit.fleet.settings.polls, visit.at_ms).alias("standing")
    asked = Terminal.select(Terminal, Place, TerminalHealth, column).join(Place).switch(Terminal)
    asked = asked.join(
        TerminalHealth, peewee.JOIN.LEFT_OUTER, on=(TerminalHealth.terminal == Terminal.id), attr="health"
    )
    return asked.where((Terminal.tenant == visit.city) & visit.sees(Place.path))


def tallies(visit: Visit) -> dict[int, Counter[str]]:
    """Place -> standing -> how many terminals stand exactly there, not below."""
    column = standing(visit.fleet.settings.polls, visit.at_ms).alias("standing")
    asked: Any = Terminal.select(Terminal.place, column, peewee.fn.COUNT(Terminal.id)).join(Place).switch(Terminal)
    asked = asked.join(TerminalHealth, peewee.JOIN.LEFT_OUTER, on=(TerminalHealth.terminal == Terminal.id))
    asked = asked.where((Terminal.tenant == visit.city) & visit.sees(Place.path))
    found: dict[int, Counter[str]] = {}
    for place, word, count in asked.group_by(Terminal.place, peewee.SQL("standing")).tuples():
        found.setdefault(place, Counter())[word] += count
    return found


def _any_slot(patterns: tuple[str, ...]) -> Any:
    asked = _report().contains(patterns[0])
    for pattern in patterns[1:]:
        asked |= _report().contains(pattern)
    return asked


def _report() -> Any:
    """As text: the field itself would turn what is looked for into JSON first."""
    return TerminalHealth.report.cast("text")
