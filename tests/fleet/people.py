"""People for tests: with cheap password hashes, so that a suite of sign-ins takes no minute."""

from provisioning.fleet.actor import Actor
from provisioning.fleet.schema.people import Grant, Person
from provisioning.fleet.schema.places import Place


def make_person(tenant: str, login: str, *roles: str, place: int | None = None) -> Actor:
    """An active person with these roles at ``place``, by default the root of ``tenant``. Who cannot sign in yet."""
    root = Place.get((Place.tenant == tenant) & Place.parent.is_null()) if place is None else Place.get_by_id(place)
    person = Person.create(tenant=tenant, login=login, name=login, password_hash="", created_ms=0)
    for role in roles:
        Grant.create(person=person, place=root, role=role)
    return Actor(tenant, f"person:{login}")
