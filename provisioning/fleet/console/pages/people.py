"""People of the city: who they are, where they hold roles, and invitations that somebody hands over."""

from starlette.responses import Response

from provisioning.fleet.console.page import Page, go
from provisioning.fleet.console.render import show
from provisioning.fleet.console.tree import places
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.people import invitations, persons
from provisioning.fleet.schema.people import ROLES, Grant, Person


def draw(visit: Visit) -> Response:
    return _shown(visit)


def _shown(visit: Visit, **told: str) -> Response:
    """``link`` and ``code`` are shown in this one answer and never again."""
    mine = invitations.open_for(visit.actor, visit.at_ms)
    shown = {"link": "", "code": "", **told}
    choices = {"places": places(visit), "roles": ROLES, "changes": visit.may("people")}
    return show(visit, "people.html", people=listed(visit), invitations=mine, **shown, **choices)


def listed(visit: Visit) -> list[tuple[Person, list[Grant]]]:
    """With the roles that they hold where this person may look; only who gives roles sees those without any."""
    held: dict[int, list[Grant]] = {}
    for grant in persons.grants(visit.actor):
        if visit.may("look", grant.place):
            held.setdefault(grant.person.id, []).append(grant)
    people = [(person, held.get(person.id, [])) for person in persons.people(visit.actor)]
    return [(person, roles) for person, roles in people if roles or visit.may("people")]


def add(visit: Visit) -> Response:
    role, place, why = visit.field("role"), visit.number("place"), visit.field("why")
    persons.propose_person(visit.actor, visit.field("login"), visit.field("name"), role, place, why, visit.at_ms)
    return go(visit.path, "proposed")


def link(visit: Visit) -> Response:
    token = invitations.new_link(visit.actor, visit.number("invitation"), visit.at_ms)
    return _shown(visit, link=f"{visit.fleet.settings.console_url}/console/invited/{token}")


def code(visit: Visit) -> Response:
    digits = invitations.new_code(visit.actor, visit.number("invitation"), visit.at_ms)
    return _shown(visit, code=f"{digits[:4]} {digits[4:]}")


ROUTES = [Page("/console/{tenant}/people", draw, {"add": add, "link": link, "code": code}).route()]
