"""The list of terminals, with what it is narrowed to."""

from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from kiosk.domain.health import SLOTS, Condition
from provisioning.fleet.console.page import Page
from provisioning.fleet.console.render import show
from provisioning.fleet.console.standing import slot_is, standing, terminals
from provisioning.fleet.console.tree import places
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.console.words import STANDING
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.terminals import Terminal, TerminalHealth

PAGE = 50
WORDS_MAX = 64
FILTERS = ("standing", "place", "slot", "condition", "version", "find")
CONDITIONS = tuple(one.value for one in Condition)


def draw(visit: Visit) -> Response:
    told = {name: visit.query.get(name, "")[:WORDS_MAX] for name in FILTERS}
    after = visit.query.get("after", "")[:WORDS_MAX]
    asked = _narrowed(visit, told)
    rows = list(asked.where(Terminal.terminal_id > after).order_by(Terminal.terminal_id).limit(PAGE + 1))
    known = {name: value for name, value in told.items() if value}
    more = urlencode({**known, "after": rows[PAGE - 1].terminal_id}) if len(rows) > PAGE else ""
    choices = {"places": places(visit), "standings": STANDING, "slots": SLOTS, "conditions": CONDITIONS}
    return show(visit, "terminals.html", rows=rows[:PAGE], total=asked.count(), told=told, more=more, **choices)


def _narrowed(visit: Visit, told: dict[str, str]) -> Any:
    asked = terminals(visit)
    if told["standing"]:
        asked = asked.where(standing(visit.fleet.settings.polls, visit.at_ms) == told["standing"])
    if told["place"].isdigit():
        asked = asked.where(Place.path.contains(f"/{told['place']}/"))
    if told["slot"] in SLOTS and told["condition"] in CONDITIONS:
        asked = asked.where(slot_is(told["slot"], told["condition"]))
    if told["version"]:
        asked = asked.where(TerminalHealth.version == told["version"])
    if told["find"]:
        asked = asked.where(Terminal.terminal_id.contains(told["find"]) | Terminal.serial.contains(told["find"]))
    return asked


ROUTES = [Page("/console/{tenant}/terminals", draw).route()]
