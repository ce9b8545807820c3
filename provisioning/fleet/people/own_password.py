"""What somebody who is signed in does with their own sign-in."""

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, Refused
from provisioning.fleet.database import step
from provisioning.fleet.people import lanes, passwords, second_factor, sessions
from provisioning.fleet.people.sealing import Seal
from provisioning.fleet.schema.people import Person


def change(person: Person, old: str, code: str, new: str, token: str, seal: Seal, at_ms: int) -> None:
    """A new password; every other session ends.

    Raises:
        Refused: the old one or the code is not right, too many tries, or the new one is weak.
    """
    passwords.must_be_strong(new, person.login)
    if not lanes.try_once({f"own:{person.login}": lanes.BROWSER_TRIES}, at_ms):
        raise Refused("wait", "Too many attempts. Wait 15 minutes, then try again.")
    if not passwords.matches(person.password_hash, old) or not second_factor.take(person, seal, code, at_ms):
        raise Refused("wrong", "Password or code is not right. Each code works once.")
    password_hash = passwords.hashed(new)
    with step():
        Person.update(password_hash=password_hash).where(Person.id == person.id).execute()
        sessions.end_all(person, but=token)
        audit.record(Actor(person.tenant_id, f"person:{person.login}"), at_ms, "password_changed", person.login)


def sign_out_everywhere(person: Person, at_ms: int) -> None:
    with step():
        ended = sessions.end_all(person)
        facts = {"sessions": ended}
        audit.record(
            Actor(person.tenant_id, f"person:{person.login}"), at_ms, "signed_out_everywhere", person.login, "", facts
        )
