"""How the city's terminals stand, and what wants a person now."""

from collections import Counter

from starlette.responses import Response

from provisioning.fleet.console.nav import parts
from provisioning.fleet.console.page import Page
from provisioning.fleet.console.render import show
from provisioning.fleet.console.standing import terminals
from provisioning.fleet.console.tree import tree
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.console.words import STANDING
from provisioning.fleet.schema.terminals import TerminalHealth

WORST = ("trouble", "silent", "attention")
SHOWN = 12


def draw(visit: Visit) -> Response:
    tally: Counter[str] = sum((top.tally for top in tree(visit)), Counter())
    worst = [one for word in WORST if tally[word] for one in _of(visit, word)][:SHOWN]
    money = terminals(visit).where(TerminalHealth.suspense_fen != 0).order_by(TerminalHealth.suspense_fen.desc())
    told = {"tally": [(word, tally[word]) for word in STANDING if tally[word] or word in (*WORST, "serving")]}
    waiting = [entry for entry in parts(visit) if entry.count]
    return show(visit, "overview.html", **told, worst=worst, suspense=list(money.limit(SHOWN)), waiting=waiting)


def _of(visit: Visit, word: str) -> list[object]:
    """Those that stand so, the longest unheard first."""
    asked = terminals(visit)
    column = asked.selected_columns[-1].unalias()
    return list(asked.where(column == word).order_by(TerminalHealth.seen_ms).limit(SHOWN))


ROUTES = [Page("/console/{tenant}/", draw).route()]
