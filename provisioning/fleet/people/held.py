"""Which roles somebody holds in a city at this moment."""

from provisioning.fleet.actor import Actor
from provisioning.fleet.roles import Held
from provisioning.fleet.schema.people import Grant, Person
from provisioning.fleet.schema.places import Place

PERSON = "person:"


def held_by(actor: Actor) -> tuple[Held, ...]:
    """Nothing for who is no person or is no longer active. The province's people hold what a city gave them."""
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
