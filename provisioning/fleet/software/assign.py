"""Gives a set of software to terminals: an action for each. An earlier one that has not ended gives way, as in hawkBit.

Acts of one step; whoever calls says on the audit trail why (one row for a whole wave, not one a terminal).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import peewee

from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.schema.software import FORCES, Action, ActionStatus, DistributionSet, TerminalSoftware
from provisioning.fleet.schema.terminals import Terminal
from provisioning.fleet.touch import touch

ROWS_MAX = 500  # of one statement: SQLite takes a bounded number of values
CANCELING = "canceling"


def set_of(actor: Actor, set_id: int, put_aside: bool = False) -> DistributionSet:
    """``put_aside``: also one that was. Raises NotFound: no such set in this city."""
    found = (DistributionSet.id == set_id) & (DistributionSet.tenant == actor.tenant)
    chosen: DistributionSet | None = DistributionSet.get_or_none(
        found if put_aside else found & ~DistributionSet.deleted
    )
    if chosen is None:
        raise NotFound(f"set {set_id}")
    return chosen


def lock(set_id: int) -> None:
    """It changes no more: somebody was given it, or is asked to agree to it. Inside a step, after ``set_of``."""
    DistributionSet.update(locked=True).where(DistributionSet.id == set_id).execute()


def assign(
    actor: Actor,
    terminals: Sequence[int],
    set_id: int,
    at_ms: int,
    *,
    force: str = "forced",
    rollout: int | None = None,
    group: int | None = None,
    weight: int = 1000,
    window: Mapping[str, str] | None = None,
    back: bool = False,
) -> dict[int, int]:
    """Key of the terminal's row -> number of its new action. One that is to get this very set already keeps its action.

    ``back``: to what it had, also where that was put aside since.

    Raises:
        NotFound: no such set in this city. Refused: ``force`` is none of hawkBit's.
    """
    if force not in FORCES:
        raise Refused("bad_force", "The force of an action is one of " + ", ".join(FORCES) + ".")
    chosen = set_of(actor, set_id, back)
    lock(chosen.id)
    mine = _of_city(actor, terminals)
    under_way = _under_way(mine, chosen.id)
    new = [key for key in mine if key not in under_way]
    _override(new, at_ms)
    fields: dict[str, Any] = {
        "tenant": actor.tenant,
        "set": chosen.id,
        "force": force,
        "rollout": rollout,
        "group": group,
        "weight": weight,
        "window": dict(window) if window else None,
        "created_by": actor.who,
        "created_ms": at_ms,
        "changed_ms": at_ms,
    }
    made = {key: int(Action.insert(terminal=key, **fields).execute()) for key in new}
    _tell(made, chosen.id, at_ms)
    return {**under_way, **made}


def cancel(actor: Actor, actions: Sequence[int], at_ms: int) -> int:
    """Ask their terminals to leave them; how many were still active."""
    count = 0
    for part in _parts(actions):
        mine = (Action.tenant == actor.tenant) & Action.id.in_(part) & Action.active
        count += Action.update(status=CANCELING, changed_ms=at_ms).where(mine & (Action.status != CANCELING)).execute()
        touch(Terminal.id.in_(Action.select(Action.terminal).where(mine)), at_ms)
    return count


def _of_city(actor: Actor, terminals: Sequence[int]) -> list[int]:
    mine = Terminal.tenant == actor.tenant
    return [
        row.id for part in _parts(terminals) for row in Terminal.select(Terminal.id).where(mine & Terminal.id.in_(part))
    ]


def _under_way(terminals: Sequence[int], set_id: int) -> dict[int, int]:
    found: dict[int, int] = {}
    for part in _parts(terminals):
        going = Action.active & (Action.set == set_id) & (Action.status != CANCELING) & Action.terminal.in_(part)
        found |= {row.terminal_id: int(row.id) for row in Action.select(Action.id, Action.terminal).where(going)}
    return found


def _override(terminals: Sequence[int], at_ms: int) -> None:
    for part in _parts(terminals):
        older = Action.active & Action.terminal.in_(part)
        Action.update(status=CANCELING, changed_ms=at_ms).where(older).execute()


def _tell(made: Mapping[int, int], set_id: int, at_ms: int) -> None:
    for part in _parts(list(made)):
        said = [{"action": made[key], "at_ms": at_ms, "told_ms": at_ms, "status": "running"} for key in part]
        ActionStatus.insert_many(said).execute()
        TerminalSoftware.insert_many([{"terminal": key, "assigned": set_id} for key in part]).on_conflict(
            conflict_target=[TerminalSoftware.terminal], preserve=[TerminalSoftware.assigned]
        ).execute()
        newest = peewee.Case(Terminal.id, [(key, str(made[key])) for key in part], Terminal.action)
        Terminal.update(action=newest).where(Terminal.id.in_(part)).execute()
        touch(Terminal.id.in_(part), at_ms)


def _parts(keys: Sequence[int]) -> list[Sequence[int]]:
    return [keys[first : first + ROWS_MAX] for first in range(0, len(keys), ROWS_MAX)]
