"""One person: roles given and taken away, a new invitation, stopped."""

from starlette.responses import Response

from provisioning.fleet.actor import NotFound
from provisioning.fleet.console.page import Page, go
from provisioning.fleet.console.pages.people import listed
from provisioning.fleet.console.render import show
from provisioning.fleet.console.tree import places
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.people import persons
from provisioning.fleet.schema.people import ROLES, Grant, Person


def person_of(visit: Visit) -> tuple[Person, list[Grant]]:
    """The one in the path. Raises NotFound: nobody of this city, or not theirs to see."""
    for person, grants in listed(visit):
        if person.login == visit.params["login"]:
            return person, grants
    raise NotFound


def draw(visit: Visit) -> Response:
    person, grants = person_of(visit)
    told = {"places": places(visit), "roles": ROLES, "changes": visit.may("people")}
    return show(visit, "person.html", person=person, grants=grants, **told)


def grant(visit: Visit) -> Response:
    told = person_of(visit)[0].login, visit.field("role"), visit.number("place"), visit.field("why")
    persons.propose_grant(visit.actor, *told, visit.at_ms)
    return go(visit.path, "proposed")


def invite(visit: Visit) -> Response:
    persons.propose_invitation(visit.actor, person_of(visit)[0].login, visit.field("why"), visit.at_ms)
    return go(visit.path, "proposed")


def take_away(visit: Visit) -> Response:
    persons.take_away(visit.actor, visit.number("grant"), visit.field("why"), visit.at_ms)
    return go(f"{visit.base}/people", "saved")


def stop(visit: Visit) -> Response:
    persons.stop(visit.actor, person_of(visit)[0].login, visit.field("why"), visit.at_ms)
    return go(f"{visit.base}/people", "saved")


ACTS = {"grant": grant, "invite": invite, "take_away": take_away, "stop": stop}
ROUTES = [Page("/console/{tenant}/people/{login}", draw, ACTS).route()]
