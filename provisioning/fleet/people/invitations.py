"""How somebody comes to a password and a second factor that nobody else ever saw.

It takes two things from two people: a link from whoever proposed, a code from whoever approved. Neither of the two can
become the person alone.
"""

import hmac
import secrets

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.people import passwords, second_factor, sessions
from provisioning.fleet.people.sealing import Seal
from provisioning.fleet.people.sessions import hash_of
from provisioning.fleet.schema.people import Invitation, Person

STANDS_MS = 72 * 3600 * 1000
TRIES_MAX = 5
CODE_DIGITS = 8


def invite(person: Person, link_for: str, code_for: str, at_ms: int) -> None:
    """Inside the step of an approval. An earlier invitation of the same person is worth nothing any more."""
    Invitation.update(expires_ms=at_ms).where((Invitation.person == person) & Invitation.used_ms.is_null()).execute()
    Invitation.create(person=person, link_for=link_for, code_for=code_for, expires_ms=at_ms + STANDS_MS)


def open_for(actor: Actor, at_ms: int) -> list[Invitation]:
    """Those whose link or code this person hands over."""
    mine = (Invitation.link_for == actor.who) | (Invitation.code_for == actor.who)
    found = Invitation.select(Invitation, Person).join(Person).where(mine & _stands(at_ms))
    return list(found.where(Person.tenant == actor.tenant).order_by(Invitation.id))


def new_link(actor: Actor, invitation_id: int, at_ms: int) -> str:
    """The last part of the link, told once; one that was told before opens nothing. Raises NotFound."""
    token = secrets.token_urlsafe(24)
    _tell(actor, invitation_id, Invitation.link_for, {"link_hash": hash_of(token)}, "invitation_link", at_ms)
    return token


def new_code(actor: Actor, invitation_id: int, at_ms: int) -> str:
    """Eight digits, told once. Raises NotFound."""
    code = "".join(secrets.choice("0123456789") for _ in range(CODE_DIGITS))
    _tell(actor, invitation_id, Invitation.code_for, {"code_hash": hash_of(code)}, "invitation_code", at_ms)
    return code


def begin(link: str, code: str, seal: Seal, at_ms: int) -> tuple[Person, str]:
    """Who is invited, and the secret for their authenticator: the same one each time.

    Raises:
        Refused: no such link, too old, used, or not the code; after five wrong codes the link is worth nothing.
    """
    invitation = _proven(link, code, at_ms)
    person: Person = invitation.person
    if invitation.totp_secret:
        return person, seal.open(invitation.totp_secret, second_factor.purpose(person.login))
    secret = second_factor.new_secret()
    sealed = seal.close(secret, second_factor.purpose(person.login))
    Invitation.update(totp_secret=sealed).where(Invitation.id == invitation.id).execute()
    return person, secret


def accept(link: str, code: str, password: str, totp: str, seal: Seal, at_ms: int) -> Person:
    """The password and the secret are the person's, who is active from now on and signed out everywhere.

    Raises:
        Refused: as ``begin``; a weak password; or the authenticator's code is not right.
    """
    invitation = _proven(link, code, at_ms)
    person: Person = invitation.person
    passwords.must_be_strong(password, person.login)
    secret = seal.open(invitation.totp_secret, second_factor.purpose(person.login)) if invitation.totp_secret else ""
    time_step = second_factor.step_of(secret, totp, at_ms) if secret else None
    if time_step is None:
        raise Refused("totp", "The six digits of the authenticator are not right. Wait for the next ones.")
    password_hash = passwords.hashed(password)
    with step():
        unused = (Invitation.id == invitation.id) & Invitation.used_ms.is_null()
        if Invitation.update(used_ms=at_ms, totp_secret="").where(unused).execute() != 1:
            raise Refused("link", DEAD_LINK)
        own = {"password_hash": password_hash, "totp_secret": invitation.totp_secret, "totp_last": time_step}
        Person.update(active=True, **own).where(Person.id == person.id).execute()
        sessions.end_all(person)
        audit.record(Actor(person.tenant_id, f"person:{person.login}"), at_ms, "invitation_accepted", person.login)
    return person


DEAD_LINK = "This link opens nothing any more. Ask a security administrator for a new one."


def _stands(at_ms: int) -> object:
    return (Invitation.expires_ms > at_ms) & Invitation.used_ms.is_null() & (Invitation.tries < TRIES_MAX)


def _tell(actor: Actor, invitation_id: int, whose: object, kept: dict[str, str], act: str, at_ms: int) -> None:
    with step():
        invitation = Invitation.get_or_none((Invitation.id == invitation_id) & (whose == actor.who) & _stands(at_ms))
        if invitation is None or invitation.person.tenant_id != actor.tenant:
            raise NotFound
        Invitation.update(**kept).where(Invitation.id == invitation_id).execute()
        audit.record(actor, at_ms, act, invitation.person.login)


def _proven(link: str, code: str, at_ms: int) -> Invitation:
    """A try counts before it is judged."""
    found = Invitation.get_or_none((Invitation.link_hash == hash_of(link)) & _stands(at_ms)) if link else None
    if found is None or not found.code_hash:
        raise Refused("link", DEAD_LINK)
    invitation: Invitation = found
    Invitation.update(tries=Invitation.tries + 1).where(Invitation.id == invitation.id).execute()
    if not hmac.compare_digest(invitation.code_hash, hash_of(code.replace(" ", ""))):
        raise Refused("code", "This code is not the right one. Ask the person who approved your invitation.")
    Invitation.update(tries=Invitation.tries - 1).where(Invitation.id == invitation.id).execute()
    return invitation
