"""What alerts: every kind with its bound, who is told of it, and changes of both by who runs the city's places."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from starlette.responses import Response

from provisioning.fleet.actor import NotFound, Refused
from provisioning.fleet.alerts import bounds, told
from provisioning.fleet.alerts.standing import FIXED
from provisioning.fleet.console.page import Page, go
from provisioning.fleet.console.render import show
from provisioning.fleet.console.tree import places
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.people.persons import root as root_of
from provisioning.fleet.schema.alerts import Route
from provisioning.rules.alert_bounds import MEASURES, Measure
from provisioning.rules.alerts import GRAVES

MINUTE_S = 60
_FIGURE = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,3})?")


@dataclass(frozen=True)
class Line:
    """A rule on the page. ``bound`` and ``usual``: in the measure's unit."""

    known: bounds.Known
    measure: Measure
    bound: float
    usual: float | None
    routes: Sequence[Route]


def draw(visit: Visit) -> Response:
    routes = [one for one in told.routes(visit.actor) if _meets(visit, one.place.path)]
    lines = [_line(known, routes) for known in bounds.rules(visit.actor)]
    fixed = [(name, grave, _who(grave, routes)) for name, grave in FIXED.items()]
    theirs = [place for place in places(visit) if visit.may("places", place)]
    rights = {"changes": visit.may("places", root_of(visit.city.code)), "sends": [place.id for place in theirs]}
    shown = {
        "address_of": told.address_of,
        "places": theirs,
        "minute": MINUTE_S,
        "graves": GRAVES,
        "form": _typed(visit),
    }
    return show(visit, "alerts.html", lines=lines, fixed=fixed, routes=routes, **rights, **shown)


def change(visit: Visit) -> Response:
    known = next((one for one in bounds.rules(visit.actor) if one.rule.name == visit.field("rule")), None)
    if known is None:
        raise NotFound("rule")
    measure, severity = MEASURES[known.rule.figure], visit.field("severity")
    if severity not in GRAVES:
        raise NotFound("severity")
    bound = _figure(visit, "bound") * measure.per if measure.unit else known.rule.bound
    for_s = _figure(visit, "minutes") * MINUTE_S
    rule = msgspec.structs.replace(known.rule, bound=bound, for_s=for_s, severity=severity)
    bounds.change_rule(visit.actor, rule, visit.field("on") == "yes", visit.field("why"), visit.at_ms)
    return go(visit.path, "saved")


def add_route(visit: Visit) -> Response:
    hours = visit.number("from_hour"), visit.number("to_hour")
    after_s, where = int(_figure(visit, "minutes") * MINUTE_S), visit.number("place")
    name, url, severity = visit.field("name"), visit.field("url"), visit.field("severity")
    told.add_route(visit.actor, where, name, url, severity, hours, after_s, visit.at_ms)
    return go(visit.path, "made")


def end_route(visit: Visit) -> Response:
    told.end_route(visit.actor, visit.number("route"), visit.field("why"), visit.at_ms)
    return go(visit.path, "saved")


def _line(known: bounds.Known, routes: Iterable[Route]) -> Line:
    measure = MEASURES[known.rule.figure]
    usual = measure.read(known.usual.bound) if known.usual else None
    return Line(known, measure, measure.read(known.rule.bound), usual, _who([known.rule.severity], routes))


def _who(grave: Sequence[str], routes: Iterable[Route]) -> list[Route]:
    """Routes that tell of alerts which are, or may become, this grave."""
    return [one for one in routes if one.severity == "warning" or "urgent" in grave]


def _meets(visit: Visit, path: str) -> bool:
    """Whether it tells of anything that this person may look at."""
    return any(path.startswith(one.path) or one.path.startswith(path) for one in visit.held)


def _figure(visit: Visit, name: str) -> float:
    """Raises Refused: no number stands there."""
    typed = visit.field(name)
    if not _FIGURE.fullmatch(typed):
        raise Refused("no_number", "Write a plain number, such as 2 or 1.5.")
    return float(typed)


def _typed(visit: Visit) -> str:
    """Of which form something was refused: its rule, else the name of the act."""
    if not visit.trouble:
        return ""
    return visit.form.get("rule", "") if visit.form.get("act") == "change" else str(visit.form.get("act"))


ACTS = {"change": change, "add_route": add_route, "end_route": end_route}
ROUTES = [Page("/console/{tenant}/alerts", draw, ACTS).route()]
