"""People for tests: with cheap password hashes, so that a suite of sign-ins takes no minute."""

from argon2 import PasswordHasher

from provisioning.fleet.actor import Actor
from provisioning.fleet.people import second_factor
from provisioning.fleet.people.sealing import Seal
from provisioning.fleet.schema.people import Grant, Person
from provisioning.fleet.schema.places import Place

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "quite a long one"
_HASH = CHEAP.hash(PASSWORD)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def make_person(tenant: str, login: str, *roles: str, place: int | None = None) -> Actor:
    """An active person with these roles at ``place``, by default the root of ``tenant``. Who cannot sign in yet."""
    root = Place.get((Place.tenant == tenant) & Place.parent.is_null()) if place is None else Place.get_by_id(place)
    person = Person.create(tenant=tenant, login=login, name=login, password_hash="", created_ms=0)
    for role in roles:
        Grant.create(person=person, place=root, role=role)
    return Actor(tenant, f"person:{login}")


def may_sign_in(login: str, seal: Seal) -> None:
    """From now on by ``PASSWORD`` and codes of ``SECRET``."""
    sealed = seal.close(SECRET, second_factor.purpose(login))
    Person.update(password_hash=_HASH, totp_secret=sealed, totp_last=0).where(Person.login == login).execute()


def hall_in(parent: Place) -> Place:
    """A new hall below it."""
    hall: Place = Place.create(tenant=parent.tenant, parent=parent, kind="hall", name_zh="厅", name_en="hall", path="")
    hall.path = f"{parent.path}{hall.id}/"
    hall.save()
    return hall
