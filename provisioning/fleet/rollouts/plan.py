"""Proposing a rollout, and what people may do with one that runs. Approval is ``provisioning.fleet.proposals``."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from provisioning.fleet import audit, proposals, roles
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.lowest import lowest_common
from provisioning.fleet.people.held import held_by
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.proposals import Proposal
from provisioning.fleet.schema.rollouts import Rollout, Wave
from provisioning.fleet.software.assign import lock, set_of
from provisioning.rules.rollouts import Gate

KIND = "rollout"
WAVES_MAX = 50
NAME_CHARS_MAX = 120


class PlannedWave(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``places``: numbers of the places whose terminals are in it, with all below them."""

    name: str
    places: tuple[int, ...]


def propose(
    actor: Actor, name: str, set_id: int, waves: Sequence[PlannedWave], gate: Gate, why: str, at_ms: int
) -> int:
    """The proposal's number; nothing moves before another person approved it.

    Raises:
        NotFound: no such set or place in this city. Refused: no name, no waves, a name that is taken, or not theirs.
    """
    name = name.strip()
    if not name or len(name) > NAME_CHARS_MAX:
        raise Refused("no_name", f"A rollout has a name of at most {NAME_CHARS_MAX} characters.")
    if not 0 < len(waves) <= WAVES_MAX or not all(wave.places for wave in waves):
        raise Refused("no_waves", f"A rollout has between one and {WAVES_MAX} waves, each with a place.")
    with step():
        set_of(actor, set_id)
        _must_be_free(actor, name)
        paths = [_paths(actor, wave) for wave in waves]
        told = [{"name": wave.name, "paths": mine} for wave, mine in zip(waves, paths, strict=True)]
        facts = {"name": name, "set": set_id, "waves": told, "gate": msgspec.to_builtins(gate)}
        top = lowest_common(actor.tenant, [path for mine in paths for path in mine])
        number = proposals.propose(actor, KIND, name[:80], top, facts, why, at_ms)
        lock(set_id)  # what is approved is what was proposed
        return number


def pause(actor: Actor, rollout_id: int, why: str, at_ms: int) -> None:
    """No more terminals get it until it is resumed; those that have begun end. Raises NotFound, Refused."""
    _turn(actor, rollout_id, ("running", "finished"), "paused", why, at_ms)


def resume(actor: Actor, rollout_id: int, why: str, at_ms: int) -> None:
    """Raises NotFound; Refused: it is not paused."""
    _turn(actor, rollout_id, ("paused",), "running", why, at_ms)


def stop(actor: Actor, rollout_id: int, why: str, at_ms: int) -> None:
    """For good: late joiners do not get it either. What terminals have stays. Raises NotFound, Refused."""
    _turn(actor, rollout_id, ("running", "paused", "finished", "returned"), "stopped", why, at_ms)


def rollouts(actor: Actor) -> list[Rollout]:
    """Of this city, newest first."""
    return list(Rollout.select().where(Rollout.tenant == actor.tenant).order_by(Rollout.created_ms.desc()))


def rollout_of(actor: Actor, rollout_id: int) -> Rollout:
    """Raises NotFound."""
    found: Rollout | None = Rollout.get_or_none((Rollout.id == rollout_id) & (Rollout.tenant == actor.tenant))
    if found is None:
        raise NotFound(f"rollout {rollout_id}")
    return found


def waves_of(rollout: Rollout) -> list[Wave]:
    """In their order."""
    return list(Wave.select().where(Wave.rollout == rollout.id).order_by(Wave.number))


def may_turn(actor: Actor, rollout: Rollout) -> bool:
    """Whether this person may pause or stop it: at every place that it reaches."""
    held = held_by(actor)
    return all(roles.may(held, KIND, path) for wave in waves_of(rollout) for path in wave.paths)


def _turn(actor: Actor, rollout_id: int, from_: Sequence[str], to: str, why: str, at_ms: int) -> None:
    if not why.strip():
        raise Refused("no_reason", "Say why; it stands on the audit trail.")
    with step():
        rollout = rollout_of(actor, rollout_id)
        if not may_turn(actor, rollout):
            raise Refused("not_yours", "This is not yours to do at every place that it reaches.")
        here = (Rollout.id == rollout.id) & Rollout.state.in_(from_)
        if Rollout.update(state=to).where(here).execute() != 1:
            raise Refused("not_now", f"A rollout that is {rollout.state} cannot be {to}.")
        audit.record(actor, at_ms, f"rollout_{to}", rollout.name[:80], why, {"rollout": rollout.id})


def _begin(actor: Actor, proposal: Proposal, at_ms: int) -> None:
    """Approved: the waves stand, and the next look at it gives the first one its software."""
    facts: Mapping[str, Any] = proposal.facts
    set_of(actor, facts["set"])
    _must_be_free(actor, facts["name"])
    fields = {"tenant": actor.tenant, "name": facts["name"], "set": facts["set"], "gate": facts["gate"]}
    rollout = Rollout.create(**fields, state="running", created_by=proposal.proposed_by, created_ms=at_ms)
    for number, wave in enumerate(facts["waves"], 1):
        Wave.create(rollout=rollout, number=number, **wave)


def _must_be_free(actor: Actor, name: str) -> None:
    if Rollout.get_or_none((Rollout.tenant == actor.tenant) & (Rollout.name == name)):
        raise Refused("name_taken", "Another rollout has this name.")


def _paths(actor: Actor, wave: PlannedWave) -> list[str]:
    found = list(Place.select().where((Place.tenant == actor.tenant) & Place.id.in_(wave.places)))
    if len(found) != len(set(wave.places)):
        raise NotFound("place")
    return sorted(place.path for place in found)


proposals.register(KIND, proposals.Kind("rollout", _begin))
