"""Which terminals are in a wave, late joiners included, and how they do."""

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Any

from peewee import JOIN, Expression

from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.rollouts import Member, Rollout, Wave
from provisioning.fleet.schema.software import Action, DistributionSet, TerminalSoftware
from provisioning.fleet.schema.terminals import Terminal, TerminalHealth
from provisioning.rules.rollouts import Counts, Gate

GONE = ("error", "canceled")
JOIN_MAX = 2000  # terminals in one look; the others join at the next one


def not_yet_in(rollout: Rollout, wave: Wave, waves: Sequence[Wave]) -> list[tuple[int, int | None]]:
    """Terminals at the wave's places that have not joined: key of the row, and the set that they have.

    Also those that were enrolled or moved there long after it began; one at a place of an earlier wave is that one's,
    and one that a later rollout of the same kind reached first keeps what that one gives.
    """
    where = _at(wave)
    for earlier in waves[: wave.number - 1]:
        where &= ~_at(earlier)
    members = Member.select(Member.terminal).where((Member.rollout == rollout.id) | Member.rollout.in_(_later(rollout)))
    has = TerminalSoftware.installed
    found: Any = (
        Terminal.select(Terminal.id, has)
        .join(Place)
        .switch(Terminal)
        .join(TerminalSoftware, JOIN.LEFT_OUTER, on=TerminalSoftware.terminal == Terminal.id)
        .where((Terminal.tenant == rollout.tenant_id) & (Terminal.state == "active") & where)
        .where(Terminal.id.not_in(members))
        .order_by(Terminal.id)
        .limit(JOIN_MAX)
    )
    return [(int(key), before) for key, before in found.tuples()]


def given_another(rollout: Rollout, wave: Wave) -> set[int]:
    """Members that somebody, or another rollout, gave other software since they joined: it is not taken from them."""
    since = (Action.terminal == Member.terminal) & (Action.id > Member.action)
    other = (Action.set != rollout.set_id) & (Action.rollout.is_null() | (Action.rollout != rollout.id))
    rows: Any = Member.select(Member.terminal).join(Action, on=since).where((Member.wave == wave.id) & other)
    return {key for (key,) in rows.tuples()}


def _later(rollout: Rollout) -> Any:
    """Rollouts of the same kind of set that were approved after this one and still give it."""
    of_kind = DistributionSet.kind == rollout.set.kind
    gives = (Rollout.tenant == rollout.tenant_id) & Rollout.state.in_(("running", "paused", "finished"))
    return Rollout.select(Rollout.id).join(DistributionSet).where((Rollout.id > rollout.id) & gives & of_kind)


def counts(wave: Wave, gate: Gate, at_ms: int) -> Counts:
    """Of its terminals as they are now."""
    overdue_ms = at_ms - gate.overdue_s * 1000
    told: dict[str, int] = dict.fromkeys(
        ("terminals", "succeeded", "errors", "silent", "overdue", "sessions", "failed_interactions", "unsent_growth"), 0
    )
    for joined_ms, unsent_before, status, seen_ms, report, unsent in _stand(wave):
        told["terminals"] += 1
        if status == "finished":
            told["succeeded"] += 1
            use = (report or {}).get("use", {})
            told["sessions"] += use.get("sessions", 0)
            told["failed_interactions"] += use.get("failed_interactions", 0)
            told["unsent_growth"] += max(0, (unsent or 0) - (unsent_before or 0))
        elif status in GONE:
            told["errors"] += 1
        elif seen_ms is None or seen_ms < joined_ms:
            told["silent"] += 1  # dark for days is normal for a village: it is waited for, and never counts as good
        elif joined_ms < overdue_ms:
            told["overdue"] += 1
    return Counts(**told)


def _stand(wave: Wave) -> Iterator[tuple[int, int | None, str, int | None, Any, int | None]]:
    """Joined and unsent then; status of its action; last heard, its report, and unsent now.

    One that was stopped or retired is waited for no more; how far it had come by then still counts.
    """
    health = (TerminalHealth.seen_ms, TerminalHealth.report, TerminalHealth.unsent_count)
    rows: Any = (
        Member.select(Member.joined_ms, Member.unsent_before, Action.status, *health)
        .join(Action, on=Member.action == Action.id)
        .switch(Member)
        .join(TerminalHealth, JOIN.LEFT_OUTER, on=TerminalHealth.terminal == Member.terminal)
        .switch(Member)
        .join(Terminal, on=Member.terminal == Terminal.id)
        .where((Member.wave == wave.id) & ((Terminal.state == "active") | ~Action.active))
    )
    yield from rows.tuples()


def _at(wave: Wave) -> Expression:
    """A place of the wave, or one below it."""
    return reduce(or_, (Place.path.startswith(path) for path in wave.paths))
