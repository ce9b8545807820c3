"""What wants somebody now: people who asked for help, and alerts; who has it, and where nobody is told for a while."""

from starlette.responses import Response

from provisioning.fleet.alerts import acts as alerts
from provisioning.fleet.calls import acts as calls
from provisioning.fleet.console.page import Page, go
from provisioning.fleet.console.render import show
from provisioning.fleet.console.tree import places
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.schema.alerts import Silence
from provisioning.fleet.schema.places import Place

DAY_MS = 86_400_000
WEEK_DAYS = 7
HOURS = (1, 4, 12, 24, 72)


def draw(visit: Visit) -> Response:
    paths = [one.path for one in visit.held]
    quiet = (
        Silence.select(Silence, Place)
        .join(Place)
        .where((Silence.tenant == visit.city) & (Silence.until_ms > visit.at_ms))
    )
    since_ms = visit.at_ms - WEEK_DAYS * DAY_MS
    late = calls.unanswered(visit.actor, since_ms, visit.at_ms)
    named = [(place, late[place.id]) for place in places(visit) if late[place.id]]
    told = {"calls": calls.waiting(visit.actor, paths), "alerts": alerts.open_alerts(visit.actor, paths)}
    may = {"takes": visit.may("acknowledge"), "quiet": list(quiet), "places": places(visit), "hours": HOURS}
    return show(visit, "calls.html", **told, **may, late=named)


def take_call(visit: Visit) -> Response:
    calls.take(visit.actor, visit.number("call"), visit.field("note"), visit.at_ms)
    return go(visit.path, "taken")


def take_alert(visit: Visit) -> Response:
    alerts.acknowledge(visit.actor, visit.number("alert"), visit.field("note"), visit.at_ms)
    return go(visit.path, "taken")


def keep_quiet(visit: Visit) -> Response:
    for_s = visit.number("hours") * 3600
    alerts.keep_quiet(visit.actor, visit.number("place"), "", for_s, visit.field("why"), visit.at_ms)
    return go(visit.path, "quiet")


def end_quiet(visit: Visit) -> Response:
    alerts.end_quiet(visit.actor, visit.number("silence"), visit.at_ms)
    return go(visit.path, "heard_again")


ROUTES = [
    Page(
        "/console/{tenant}/calls",
        draw,
        {"take_call": take_call, "take_alert": take_alert, "keep_quiet": keep_quiet, "end_quiet": end_quiet},
    ).route()
]
