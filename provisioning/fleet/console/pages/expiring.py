"""Everything that ends, soonest first, with the next step."""

from starlette.responses import Response

from provisioning.fleet.console.page import Page
from provisioning.fleet.console.render import show
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.expiring import Ends, everything


def draw(visit: Visit) -> Response:
    ends = everything(visit.city.code, visit.fleet.settings, visit.at_ms)
    return show(visit, "expiring.html", ends=[(one, _state(one, visit.at_ms)) for one in ends])


def _state(one: Ends, at_ms: int) -> str:
    return {"urgent": "trouble", "warning": "attention"}.get(one.grave(at_ms) or "", "ready")


ROUTES = [Page("/console/{tenant}/expiring", draw).route()]
