"""Who is told of alerts: routes to the city's own gateways, made and ended by who runs the places."""

from urllib.parse import urlsplit

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.enrolment.places import must_be_allowed, place_of
from provisioning.fleet.schema.alerts import Delivery, Route
from provisioning.fleet.schema.places import Place

NAME_CHARS_MAX, URL_CHARS_MAX = 80, 500
AFTER_S_MAX = 7 * 86_400
ENDED = "the route was ended"


def add_route(
    actor: Actor, place_id: int, name: str, url: str, severity: str, hours: tuple[int, int], after_s: int, at_ms: int
) -> int:
    """Who is told below this place. ``hours``: of the city's day, 22 to 6 goes over midnight.

    Raises:
        NotFound: no such place. Refused: not theirs to say there, no https address, or hours that are none.
    """
    _must_be_an_address(url)
    if not 0 < len(name.strip()) <= NAME_CHARS_MAX:
        raise Refused("bad_route", "Give it a name, so that others know who is told.")
    if severity not in ("warning", "urgent") or not all(0 <= hour <= 24 for hour in hours) or hours[0] == hours[1]:
        raise Refused("bad_route", "Hours lie between 0 and 24, and the last is not the first.")
    if not 0 <= after_s <= AFTER_S_MAX:
        raise Refused("bad_route", "Nobody is told before it happens, or later than a week after.")
    with step():
        place = place_of(actor.tenant, place_id)
        must_be_allowed(actor, "places", place)
        facts = {"name": name.strip(), "severity": severity, "after_s": after_s}
        made = Route.create(tenant=actor.tenant, place=place, url=url, from_hour=hours[0], to_hour=hours[1], **facts)
        shown = {**facts, "url": address_of(url), "hours": list(hours), "route": made.id}
        audit.record(actor, at_ms, "alert_route", f"place {place.id}", facts=shown)
        return int(made.id)


def end_route(actor: Actor, route_id: int, why: str, at_ms: int) -> None:
    """Nobody is told there any more; what was told stays on record, what still waited for its gateway is given up.

    Raises:
        NotFound: no such route, or one that was ended. Refused: not theirs to say there, or no reason.
    """
    if not why.strip():
        raise Refused("no_reason", "Say why: whoever is not called at night will ask.")
    with step():
        route = next((one for one in routes(actor) if one.id == route_id), None)
        if route is None:
            raise NotFound(f"route {route_id}")
        must_be_allowed(actor, "places", route.place)
        Route.update(from_hour=0, to_hour=0).where(Route.id == route_id).execute()
        waiting = (Delivery.route == route_id) & Delivery.next_ms.is_null(False)
        Delivery.update(next_ms=None, gave_up_ms=at_ms, why=ENDED).where(waiting).execute()
        facts = {"route": route_id, "name": route.name, "url": address_of(route.url)}
        audit.record(actor, at_ms, "alert_route_ended", f"place {route.place_id}", why, facts)


def routes(actor: Actor) -> list[Route]:
    """Those in force, by place and name."""
    in_force = (Route.tenant == actor.tenant) & (Route.from_hour != Route.to_hour)
    rows = Route.select(Route, Place).join(Place).where(in_force).order_by(Place.path, Route.name, Route.id)
    return list(rows)


def address_of(url: str) -> str:
    """For people to read: without what follows the path, where gateways put the key by which they know their caller."""
    parts = urlsplit(url)
    return f"https://{parts.netloc}{parts.path}" + ("?…" if parts.query else "")


def _must_be_an_address(url: str) -> None:
    """Raises Refused."""
    try:
        parts = urlsplit(url)
        good = parts.scheme == "https" and bool(parts.hostname) and (parts.port or 443) > 0
    except ValueError:
        good = False
    if not good or "@" in parts.netloc or len(url) > URL_CHARS_MAX or not (url.isascii() and url.isprintable()):
        raise Refused("bad_address", "Messages go to an https address of the city's own gateway.")
