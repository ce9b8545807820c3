"""Signing in: login, password and a code, in a lane that is open. What was wrong is not told."""

import hmac
import secrets
from dataclasses import dataclass

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, Refused
from provisioning.fleet.people import lanes, passwords, second_factor, sessions
from provisioning.fleet.people.sealing import Seal
from provisioning.fleet.schema.people import Person

LOGIN_MAX = 64


@dataclass(frozen=True)
class Attempt:
    """``browser``: what the browser kept from an earlier sign-in, "" for nothing."""

    login: str
    password: str
    code: str
    address: str
    browser: str = ""


@dataclass(frozen=True)
class SignedIn:
    """``token`` opens the pages; ``browser`` is kept for the next time."""

    person: Person
    token: str
    browser: str


def sign_in(attempt: Attempt, seal: Seal, at_ms: int) -> SignedIn:
    """Raises Refused: "wait" where a lane is closed, "wrong" for everything else."""
    login = attempt.login.strip().lower()[:LOGIN_MAX]
    known = attempt.browser if knows(attempt.browser, login, seal) else ""
    open_lanes = lanes.lanes_of(login, attempt.address, known)
    person = Person.get_or_none((Person.login == login) & Person.active)
    if not lanes.try_once(open_lanes, at_ms):
        raise Refused("wait", "Too many attempts. Wait 15 minutes, then try again.")
    right = passwords.matches(person.password_hash if person else "", attempt.password)
    if person is None or not right or not second_factor.take(person, seal, attempt.code, at_ms):
        if person is not None:
            audit.record(Actor(person.tenant_id, f"person:{login}"), at_ms, "sign_in_refused", login, attempt.address)
        raise Refused("wrong", "Login, password or code is not right. Each code works once.")
    lanes.forgive(open_lanes)
    token = sessions.open_session(person, attempt.address, at_ms)
    audit.record(Actor(person.tenant_id, f"person:{login}"), at_ms, "sign_in", login, attempt.address)
    return SignedIn(person, token, known or new_browser(login, seal))


def new_browser(login: str, seal: Seal) -> str:
    nonce = secrets.token_urlsafe(12)
    return f"{nonce}.{seal.mark(f'browser:{login}:{nonce}')[:40]}"


def knows(browser: str, login: str, seal: Seal) -> bool:
    """Whether this browser signed in as this person before."""
    nonce, _, mark = browser.partition(".")
    return hmac.compare_digest(mark.encode(), seal.mark(f"browser:{login}:{nonce}")[:40].encode())
