"""Which roles somebody holds in a city at this moment."""

from provisioning.fleet.actor import Actor
from provisioning.fleet.roles import Held
from provisioning.fleet.schema.machines import ApiClient
from provisioning.fleet.schema.people import Grant, Person
from provisioning.fleet.schema.places import Place

PERSON, PROGRAM = "person:", "program:"


def held_by(actor: Actor) -> tuple[Held, ...]:
    """Nothing for who is no person or is no longer active. The province's people hold what a city gave them.

    A program that may assign proposes like an operator of its city: a person approves.
    """
    if actor.who.startswith(PROGRAM):
        return _of_program(actor)
    if not actor.who.startswith(PERSON):
        return ()
    grants = (
        Grant.select(Grant, Place)
        .join(Place)
        .switch(Grant)
        .join(Person)
        .where((Person.login == actor.who.removeprefix(PERSON)) & Person.active & (Place.tenant == actor.tenant))
    )
    return tuple(Held(grant.role, grant.place.path) for grant in grants)


def _of_program(actor: Actor) -> tuple[Held, ...]:
    mine = (ApiClient.tenant == actor.tenant) & (ApiClient.name == actor.who.removeprefix(PROGRAM)) & ApiClient.active
    if not ApiClient.select().where(mine & (ApiClient.may == "assign")).exists():
        return ()
    roots = Place.select(Place.path).where((Place.tenant == actor.tenant) & Place.parent.is_null())
    return tuple(Held("operator", place.path) for place in roots)
