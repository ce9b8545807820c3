"""Adding people and giving them roles: proposed by a security administrator, approved by another person.

Taking a role or a person away needs one person, because it is urgent when it is needed.
"""

import re
from collections.abc import Iterable
from typing import Any

from provisioning.fleet import audit, proposals, roles
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.people import invitations, sessions
from provisioning.fleet.people.held import PERSON, held_by
from provisioning.fleet.schema.people import ROLES, Grant, Person
from provisioning.fleet.schema.places import PROVINCE, Place
from provisioning.fleet.schema.proposals import Proposal

LOGIN = re.compile(r"[a-z][a-z0-9._-]{1,31}")
NAME_MAX = 64


def people(actor: Actor) -> list[Person]:
    """Of this city, and of the province where they hold something here; by login."""
    here = Grant.select(Grant.person).join(Place).where(Place.tenant == actor.tenant)
    return list(Person.select().where((Person.tenant == actor.tenant) | Person.id.in_(here)).order_by(Person.login))


def grants(actor: Actor) -> list[Grant]:
    """Every role that somebody holds in this city."""
    joined = Grant.select(Grant, Place, Person).join(Place).switch(Grant).join(Person)
    return list(joined.where(Place.tenant == actor.tenant).order_by(Person.login, Place.path, Grant.role))


def propose_person(actor: Actor, login: str, name: str, role: str, place_id: int, why: str, at_ms: int) -> int:
    """A new person of this city with a first role. On approval an invitation is made (``invitations``).

    Raises:
        NotFound: no such place.
        Refused: not this person's act, a login or name that cannot be, taken, or no such role.
    """
    _must_be_sound(login, name)
    _must_be_role(role)
    facts = {"login": login, "name": name.strip(), "role": role, "place": place_id}
    return proposals.propose(actor, "person", login, place_id, facts, why, at_ms)


def propose_grant(actor: Actor, login: str, role: str, place_id: int, why: str, at_ms: int) -> int:
    """Another role for somebody. Raises as ``propose_person``; NotFound also for a stranger's login."""
    person = _reachable(actor, login)
    _must_be_role(role)
    _must_not_clash(person, role)
    facts = {"login": person.login, "role": role, "place": place_id}
    return proposals.propose(actor, "grant", login, place_id, facts, why, at_ms)


def propose_invitation(actor: Actor, login: str, why: str, at_ms: int) -> int:
    """A new password and second factor for somebody of this city who lost theirs, or comes back."""
    person = own(actor, login)
    return proposals.propose(actor, "invitation", login, root(actor.tenant).id, {"login": person.login}, why, at_ms)


def take_away(actor: Actor, grant_id: int, why: str, at_ms: int) -> None:
    """One role, at once. Raises NotFound, Refused."""
    with step():
        grant = (
            Grant.select(Grant, Place, Person)
            .join(Place)
            .switch(Grant)
            .join(Person)
            .where(Grant.id == grant_id)
            .first()
        )
        if grant is None or grant.place.tenant_id != actor.tenant:
            raise NotFound
        _must_may(actor, grant.place.path, why)
        Grant.delete().where(Grant.id == grant_id).execute()
        facts = {"role": grant.role, "place": grant.place.id}
        audit.record(actor, at_ms, "role_taken_away", grant.person.login, why, facts)


def stop(actor: Actor, login: str, why: str, at_ms: int) -> None:
    """Somebody of this city may no longer sign in, and is signed out everywhere. Raises NotFound, Refused."""
    with step():
        person = own(actor, login)
        _must_may(actor, root(actor.tenant).path, why)
        Person.update(active=False).where(Person.id == person.id).execute()
        sessions.end_all(person)
        audit.record(actor, at_ms, "person_stopped", login, why)


def add(tenant: str, login: str, name: str, given: Iterable[tuple[str, int]], at_ms: int) -> Person:
    """A row with roles at places, without a password: for the command line and for approved proposals.

    Raises:
        Refused: a login or name that cannot be, taken, or roles that one person must not hold together.
    """
    _must_be_sound(login, name)
    given = list(given)
    if roles.clashing(role for role, _ in given):
        raise Refused("clash", "One person cannot be two of the three administrators.")
    with step():
        person = Person.create(tenant=tenant, login=login, name=name.strip(), password_hash="", created_ms=at_ms)
        for role, place in given:
            _must_be_role(role)
            Grant.create(person=person, place=place, role=role)
        return person


def own(actor: Actor, login: str) -> Person:
    """Somebody of this city. Raises NotFound."""
    person = Person.get_or_none((Person.login == login) & (Person.tenant == actor.tenant))
    if person is None:
        raise NotFound
    return person


def root(tenant: str) -> Place:
    """The top of a city's tree, which every city has."""
    place = root_or_none(tenant)
    assert place is not None, f"{tenant} has no place"
    return place


def root_or_none(tenant: str) -> Place | None:
    """None: there is no such city."""
    tops = Place.select().where((Place.tenant == tenant) & Place.parent.is_null())
    place: Place | None = tops.order_by(Place.id).first()
    return place


def _reachable(actor: Actor, login: str) -> Person:
    """The province's people may be given roles in cities; other cities' may not."""
    person = Person.get_or_none((Person.login == login) & Person.tenant.in_([actor.tenant, PROVINCE]))
    if person is None:
        raise NotFound
    return person


def _must_be_sound(login: str, name: str) -> None:
    if not LOGIN.fullmatch(login):
        raise Refused("login", "A login has 2 to 32 small letters, digits, dots or dashes and begins with a letter.")
    if not 0 < len(name.strip()) <= NAME_MAX:
        raise Refused("name", "Write the person's name, at most 64 characters.")
    if Person.select().where(Person.login == login).exists():
        raise Refused("taken", "Somebody has this login already.")


def _must_be_role(role: str) -> None:
    if role not in ROLES:
        raise Refused("role", "There is no such role.")


def _must_not_clash(person: Person, role: str) -> None:
    """Over all cities: an auditor of one is not the security administrator of another."""
    held = {grant.role for grant in Grant.select(Grant.role).where(Grant.person == person)}
    if roles.clashing(held | {role}):
        raise Refused("clash", "One person cannot be two of the three administrators.")


def _must_may(actor: Actor, path: str, why: str) -> None:
    if not roles.may(held_by(actor), "people", path):
        raise Refused("not_yours", "This needs a security administrator.")
    if not why.strip():
        raise Refused("no_reason", "Say why.")


def _not_for_oneself(approver: Actor, facts: dict[str, Any]) -> None:
    if approver.who == f"{PERSON}{facts['login']}":
        raise Refused("not_yours", "Nobody approves what is for themselves.")


def _carry_out_person(approver: Actor, proposal: Proposal, at_ms: int) -> None:
    facts = proposal.facts
    person = add(approver.tenant, facts["login"], facts["name"], [(facts["role"], facts["place"])], at_ms)
    invitations.invite(person, proposal.proposed_by, approver.who, at_ms)


def _carry_out_grant(approver: Actor, proposal: Proposal, at_ms: int) -> None:
    facts = proposal.facts
    _not_for_oneself(approver, facts)
    person = _reachable(approver, facts["login"])
    _must_not_clash(person, facts["role"])
    Grant.insert(person=person, place=facts["place"], role=facts["role"]).on_conflict_ignore().execute()


def _carry_out_invitation(approver: Actor, proposal: Proposal, at_ms: int) -> None:
    _not_for_oneself(approver, proposal.facts)
    person = own(approver, proposal.facts["login"])
    invitations.invite(person, proposal.proposed_by, approver.who, at_ms)


proposals.register("person", proposals.Kind("people", _carry_out_person))
proposals.register("grant", proposals.Kind("people", _carry_out_grant))
proposals.register("invitation", proposals.Kind("people", _carry_out_invitation))
