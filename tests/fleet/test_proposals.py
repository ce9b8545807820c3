"""Four eyes."""

import peewee
import pytest

from provisioning.fleet import audit, proposals, roles
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.people import Grant, Person
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.proposals import Proposal
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.people import make_person

DONE: list[tuple[str, str]] = []


def carry_out(approver: Actor, proposal: Proposal, at_ms: int) -> None:
    if proposal.facts.get("impossible"):
        raise Refused("impossible", "The world has changed.")
    DONE.append((proposal.subject, approver.who))


proposals.register("test", proposals.Kind("settings", carry_out))


@pytest.fixture
def operator(database: peewee.Database) -> Actor:
    DONE.clear()
    return make_person(CITY, "operator", "operator")


@pytest.fixture
def approver(database: peewee.Database) -> Actor:
    return make_person(CITY, "approver", "approver")


def root_of(tenant: str) -> int:
    return int(Place.get((Place.tenant == tenant) & Place.parent.is_null()).id)


def proposed(by: Actor, **facts: object) -> int:
    return proposals.propose(by, "test", "T0000001", root_of(by.tenant), facts, "because", 1000)


def test_what_another_approves_is_done_once(operator: Actor, approver: Actor) -> None:
    """One proposes, another approves, it is done in that step, and both stand on the trail."""
    number = proposed(operator)
    assert DONE == []
    proposals.approve(approver, number, 2000)
    assert [("T0000001", approver.who)] == DONE
    with pytest.raises(Refused, match="decided already"):
        proposals.approve(approver, number, 3000)
    assert [(row.act, row.who) for row in AuditRow.select().order_by(AuditRow.seq)] == [
        ("propose", operator.who),
        ("approve", approver.who),
    ]
    assert audit.verify(CITY).rows == 2


def test_refused_to_who_proposed(database: peewee.Database) -> None:
    """Whoever holds both roles still needs another person."""
    both = make_person(CITY, "both", "operator", "approver")
    number = proposed(both)
    with pytest.raises(Refused, match="another person"):
        proposals.approve(both, number, 2000)
    assert Proposal.get_by_id(number).state == "waiting"


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor", "key_officer", "security_admin", "system_admin"])
def test_approval_refused_without_the_role(operator: Actor, role: str) -> None:
    """Only an approver approves, whatever else somebody is."""
    other = make_person(CITY, "other", role)
    number = proposed(operator)
    with pytest.raises(Refused):
        proposals.approve(other, number, 2000)


def test_approval_refused_to_who_lost_the_role(operator: Actor, approver: Actor) -> None:
    """The rights of the moment of approval count, not those of the proposal."""
    number = proposed(operator)
    Grant.delete().execute()
    with pytest.raises(Refused):
        proposals.approve(approver, number, 2000)


def test_approval_refused_to_who_left(operator: Actor, approver: Actor) -> None:
    """Somebody who is no longer active holds nothing."""
    number = proposed(operator)
    Person.update(active=False).where(Person.login == "approver").execute()
    with pytest.raises(Refused):
        proposals.approve(approver, number, 2000)


def test_approval_refused_beside_ones_place(operator: Actor) -> None:
    """An approver of one hall approves nothing for the city."""
    root = Place.get_by_id(root_of(CITY))
    hall = Place.create(tenant=CITY, parent=root, kind="hall", name_zh="厅", name_en="hall", path="")
    Place.update(path=f"{root.path}{hall.id}/").where(Place.id == hall.id).execute()
    small = make_person(CITY, "small", "approver", place=hall.id)
    number = proposed(operator)
    with pytest.raises(Refused):
        proposals.approve(small, number, 2000)
    for_hall = proposals.propose(operator, "test", "hall", hall.id, {}, "because", 1000)
    assert proposals.approve(small, for_hall, 2000).state == "approved"


def test_another_citys_proposal_is_nobodys(operator: Actor) -> None:
    """Another city's approver finds nothing, and neither proposes there."""
    stranger = make_person(OTHER, "stranger", "approver", "operator")
    number = proposed(operator)
    for act in (proposals.approve, lambda who, which, at: proposals.refuse(who, which, "no", at), proposals.withdraw):
        with pytest.raises(NotFound):
            act(stranger, number, 2000)
    with pytest.raises(NotFound):
        proposals.propose(stranger, "test", "T0000001", root_of(CITY), {}, "because", 1000)


def test_approval_refused_after_its_time(operator: Actor, approver: Actor) -> None:
    """A proposal that nobody read for a week must be made anew."""
    number = proposed(operator)
    with pytest.raises(Refused, match="in time"):
        proposals.approve(approver, number, 1000 + proposals.STANDS_MS)
    assert list(proposals.waiting(operator, 1000 + proposals.STANDS_MS)) == []


def test_what_cannot_be_done_was_not_approved(operator: Actor, approver: Actor) -> None:
    """When carrying out is refused, the proposal still waits and the trail says nothing of an approval."""
    number = proposed(operator, impossible=True)
    with pytest.raises(Refused, match="changed"):
        proposals.approve(approver, number, 2000)
    assert Proposal.get_by_id(number).state == "waiting"
    assert audit.verify(CITY).rows == 1


def test_refusing_and_taking_back(operator: Actor, approver: Actor) -> None:
    """Another person says no with a reason; one's own is taken back only by oneself."""
    first, second = proposed(operator), proposed(operator)
    proposals.refuse(approver, first, "not this week", 2000)
    with pytest.raises(Refused):
        proposals.withdraw(approver, second, 2000)
    proposals.withdraw(operator, second, 2000)
    assert [row.state for row in Proposal.select().order_by(Proposal.id)] == ["refused", "withdrawn"]
    assert DONE == []


def test_every_act_is_somebodys() -> None:
    """Each act has a role that begins it; no single role but the key officer has both halves of one that takes two."""
    for act, rule in roles.ACTS.items():
        assert rule.proposes <= roles.ALL and rule.proposes, act
        assert not (rule.proposes & rule.approves) or act in ("keys", "keys_bank")
