"""Who is signed in: a random token in the browser, its hash in the table, and two limits."""

import hashlib
import secrets

from provisioning.fleet.database import step
from provisioning.fleet.schema.people import Person, Session

IDLE_MS = 15 * 60 * 1000
LONGEST_MS = 12 * 3600 * 1000
TOUCH_MS = 60_000  # a page a second writes one row a minute


def open_session(person: Person, address: str, at_ms: int) -> str:
    """The token for the browser."""
    token = secrets.token_urlsafe(32)
    with step():
        Session.delete().where(_over(at_ms)).execute()
        times = {"created_ms": at_ms, "used_ms": at_ms}
        Session.create(token_hash=hash_of(token), person=person, address=address[:64], **times)
    return token


def person_of(token: str, at_ms: int, used: bool = True) -> Person | None:
    """Who has this token; None: nobody, no longer, or too long ago. ``used`` False: a page that looks again by itself
    keeps nobody signed in."""
    found = Session.select(Session, Person).join(Person).where(Session.token_hash == hash_of(token)).first()
    if found is None or not found.person.active or _is_over(found, at_ms):
        return None
    if used and at_ms - found.used_ms >= TOUCH_MS:
        Session.update(used_ms=at_ms).where(Session.token_hash == found.token_hash).execute()
    person: Person = found.person
    return person


def end_session(token: str) -> None:
    Session.delete().where(Session.token_hash == hash_of(token)).execute()


def end_all(person: Person, but: str = "") -> int:
    """Everywhere, except where the token is ``but``; how many ended."""
    others = (Session.person == person) & (Session.token_hash != hash_of(but))
    return int(Session.delete().where(others).execute())


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _is_over(session: Session, at_ms: int) -> bool:
    return bool(at_ms - session.used_ms >= IDLE_MS or at_ms - session.created_ms >= LONGEST_MS)


def _over(at_ms: int) -> object:
    return (Session.used_ms <= at_ms - IDLE_MS) | (Session.created_ms <= at_ms - LONGEST_MS)
