"""Four eyes: one person proposes, another approves, and then it is done, in the step that says that it was approved.

A part registers what it carries out: ``register("settings", Kind("settings", carry_out))``. ``carry_out`` runs inside
the step of the approval; when it raises, nothing was approved.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.fleet import audit, roles
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.people.held import held_by
from provisioning.fleet.roles import Held
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.proposals import Proposal

STANDS_MS = 7 * 24 * 3600 * 1000
NEEDS_ANOTHER = "This needs another person who may approve it."
WAITING_MAX = 500  # of one city; more means that nobody reads them

_ACT_OF = {"approved": "approve", "refused": "refuse", "withdrawn": "withdraw"}

CarryOut = Callable[[Actor, Proposal, int], None]


@dataclass(frozen=True)
class Kind:
    """``act``: of ``roles.ACTS``, says who proposes and who approves. ``carry_out(approver, proposal, at_ms)`` raises
    Refused where the world has changed so that it must not be done."""

    act: str
    carry_out: CarryOut


_KINDS: dict[str, Kind] = {}


def register(name: str, kind: Kind) -> None:
    """Once for each kind, when the module of its part is loaded."""
    assert roles.takes_two(kind.act), f"{kind.act} takes one person"
    assert name not in _KINDS, f"{name} is carried out by two parts"
    _KINDS[name] = kind


def propose(
    actor: Actor,
    kind: str,
    subject: str,
    place_id: int,
    facts: Mapping[str, Any],
    why: str,
    at_ms: int,
    *,
    trail: Mapping[str, Any] | None = None,
) -> int:
    """The proposal's number. ``subject``: what the audit trail calls the thing, at most 80 characters. ``trail``: what
    the trail keeps for ever, where that is not all of ``facts``.

    Raises:
        NotFound: no such place in this city.
        Refused: not this person's to propose, no reason given, or too many wait.
    """
    if not why.strip():
        raise Refused("no_reason", "Say why, for whoever approves it.")
    with step():
        place = _place(actor, place_id)
        if not roles.may(held_by(actor), _KINDS[kind].act, place.path):
            raise Refused("not_yours", "This is not yours to propose.")
        if _waiting(actor.tenant, at_ms).count() >= WAITING_MAX:
            raise Refused("too_many", "Too many proposals wait. Have some decided first.")
        told = {"kind": kind, "subject": subject, "place": place, "facts": dict(facts), "why": why.strip()}
        times = {"proposed_ms": at_ms, "expires_ms": at_ms + STANDS_MS}
        proposal = Proposal.create(tenant=actor.tenant, proposed_by=actor.who, **told, **times)
        kept = {"proposal": proposal.id, "kind": kind, "facts": facts if trail is None else trail}
        audit.record(actor, at_ms, "propose", subject, why, kept)
        return int(proposal.id)


def approve(actor: Actor, proposal_id: int, at_ms: int, why: str = "") -> Proposal:
    """Approve it and carry it out.

    Raises:
        NotFound: no such proposal in this city.
        Refused: decided or expired, proposed by the same person, not this person's to approve, or it must not be done.
    """
    with step():
        proposal = _open(actor, proposal_id, at_ms)
        if not may_decide(actor, proposal):
            raise Refused("not_yours", NEEDS_ANOTHER)
        _decide(actor, proposal, "approved", why, at_ms)
        _KINDS[proposal.kind].carry_out(actor, proposal, at_ms)
        return proposal


def refuse(actor: Actor, proposal_id: int, why: str, at_ms: int) -> None:
    """Say no. Raises as ``approve``; Refused also without a reason."""
    if not why.strip():
        raise Refused("no_reason", "Say why, for whoever proposed it.")
    with step():
        proposal = _open(actor, proposal_id, at_ms)
        if not may_decide(actor, proposal):
            raise Refused("not_yours", NEEDS_ANOTHER)
        _decide(actor, proposal, "refused", why, at_ms)


def withdraw(actor: Actor, proposal_id: int, at_ms: int) -> None:
    """Take one's own back. Raises as ``approve``."""
    with step():
        proposal = _open(actor, proposal_id, at_ms)
        if proposal.proposed_by != actor.who:
            raise Refused("not_yours", "Only who proposed it takes it back.")
        _decide(actor, proposal, "withdrawn", "", at_ms)


def may_decide(actor: Actor, proposal: Proposal) -> bool:
    """Whether this person, with the rights of this moment, may say yes or no to it. Whoever proposed never may."""
    return _may_decide(actor, held_by(actor), proposal)


def waiting_for(actor: Actor, at_ms: int) -> list[Proposal]:
    """Of those that wait, the ones that this person may say yes or no to, oldest first."""
    held = held_by(actor)
    return [proposal for proposal in waiting(actor, at_ms) if _may_decide(actor, held, proposal)]


def waiting(actor: Actor, at_ms: int) -> Iterator[Proposal]:
    """What waits in this city, oldest first."""
    yield from _waiting(actor.tenant, at_ms).order_by(Proposal.proposed_ms)


def _waiting(tenant: str, at_ms: int) -> Any:
    open_now = (Proposal.state == "waiting") & (Proposal.expires_ms > at_ms)
    return Proposal.select(Proposal, Place).join(Place).where((Proposal.tenant == tenant) & open_now)


def _may_decide(actor: Actor, held: Iterable[Held], proposal: Proposal) -> bool:
    if proposal.proposed_by == actor.who:
        return False
    return roles.may_approve(held, _KINDS[proposal.kind].act, proposal.place.path)


def _place(actor: Actor, place_id: int) -> Place:
    place = Place.get_or_none((Place.id == place_id) & (Place.tenant == actor.tenant))
    if place is None:
        raise NotFound
    return place


def _open(actor: Actor, proposal_id: int, at_ms: int) -> Proposal:
    proposal = Proposal.get_or_none((Proposal.id == proposal_id) & (Proposal.tenant == actor.tenant))
    if proposal is None:
        raise NotFound
    if proposal.state != "waiting":
        raise Refused("decided", "This was decided already.")
    if proposal.expires_ms <= at_ms:
        raise Refused("expired", "Nobody approved this in time. Propose it anew.")
    return proposal


def _decide(actor: Actor, proposal: Proposal, state: str, why: str, at_ms: int) -> None:
    """Only one of two who decide at the same moment finds it waiting."""
    decided = {"state": state, "decided_by": actor.who, "decided_ms": at_ms, "why_decided": why.strip()}
    still = (Proposal.id == proposal.id) & (Proposal.state == "waiting")
    if Proposal.update(**decided).where(still).execute() != 1:
        raise Refused("decided", "This was decided already.")
    for name, value in decided.items():
        setattr(proposal, name, value)
    facts = {"proposal": proposal.id, "kind": proposal.kind, "proposed_by": proposal.proposed_by}
    audit.record(
        actor, at_ms, {"approved": "approve", "refused": "refuse"}.get(state, "withdraw"), proposal.subject, why, facts
    )
