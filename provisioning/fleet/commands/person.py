"""``person add | reset``: somebody who can sign in at once, on the fleet's own machine: the first administrators, and
the last one who lost their phone.

Everybody else is proposed, approved and invited at the console.
"""

import argparse
import secrets
import sys
from pathlib import Path

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, Refused
from provisioning.fleet.database import open_database, step
from provisioning.fleet.people import passwords, persons, second_factor, sessions
from provisioning.fleet.people.sealing import Seal, load_seal
from provisioning.fleet.schema.people import ROLES, Person
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.web import now_ms

COMMAND_LINE = "fleet:command line"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["add", "reset"])
    parser.add_argument("--city", required=True, help="short name of the city, or province")
    parser.add_argument("--login", required=True)
    parser.add_argument("--name", default="", help="to add")
    parser.add_argument(
        "--role", default=[], action="append", choices=ROLES, help="to add; may be given more than once"
    )
    parser.add_argument("--ask-password", action="store_true", help="the first line of stdin; else one is made")


def run(settings: FleetSettings, asked: argparse.Namespace) -> int:
    open_database(settings.database_url)
    password = sys.stdin.readline().rstrip("\n") if asked.ask_password else secrets.token_urlsafe(12)
    seal = load_seal(Path(settings.home))
    try:
        if asked.what == "add":
            told = add_person(asked.city, asked.login, asked.name, asked.role, password, seal, now_ms())
        else:
            told = reset_person(asked.city, asked.login, password, seal, now_ms())
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    if not asked.ask_password:
        print(f"password: {password}")
    print(f"for an authenticator app, told once: {told}")
    return 0


def add_person(city: str, login: str, name: str, given: list[str], password: str, seal: Seal, at_ms: int) -> str:
    """Roles hold in the whole city. The ``otpauth://`` address of the second factor.

    Raises:
        Refused: see ``persons.add``; a weak password; no such city.
    """
    root = persons.root_or_none(city)
    if root is None:
        raise Refused("city", f"There is no city {city}.")
    with step():
        person = persons.add(city, login, name, [(role, root.id) for role in given], at_ms)
        uri = _can_sign_in(person, password, seal)
        audit.record(Actor(city, COMMAND_LINE), at_ms, "person_added", login, "", {"roles": sorted(given)})
    return uri


def reset_person(city: str, login: str, password: str, seal: Seal, at_ms: int) -> str:
    """A new password and second factor for somebody of this city, who is signed out everywhere. As ``add_person``.

    Raises:
        Refused: there is no such person; a weak password.
    """
    with step():
        person = Person.get_or_none((Person.login == login) & (Person.tenant == city))
        if person is None:
            raise Refused("person", f"There is nobody {login} in {city}.")
        uri = _can_sign_in(person, password, seal)
        sessions.end_all(person)
        audit.record(Actor(city, COMMAND_LINE), at_ms, "person_reset", login)
    return uri


def _can_sign_in(person: Person, password: str, seal: Seal) -> str:
    passwords.must_be_strong(password, person.login)
    password_hash, secret = passwords.hashed(password), second_factor.new_secret()
    sealed = seal.close(secret, second_factor.purpose(person.login))
    own = {"password_hash": password_hash, "totp_secret": sealed, "totp_last": 0, "active": True}
    Person.update(**own).where(Person.id == person.id).execute()
    return second_factor.uri(secret, person.login)
