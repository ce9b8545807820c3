"""What terminals tell of their actions, and what becomes of these: hawkBit's rules (DDI, status of an action).

One act, one step: the action, its status, what the terminal has now, and what its next poll says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.schema.software import (
    Action,
    ActionStatus,
    DistributionSet,
    TerminalSoftware,
)
from provisioning.fleet.schema.terminals import Terminal, TerminalEvent
from provisioning.fleet.touch import touch

STATUS_ROWS_MAX = 1000  # of one action, as hawkBit's quota
MESSAGES_MAX, MESSAGE_CHARACTERS_MAX = 50, 512
CANCELING, WAITING = "canceling", "wait_for_confirmation"


@dataclass(frozen=True)
class Told:
    """``status``: of ``STATUSES``; ``told_ms``: by the terminal's clock."""

    status: str
    told_ms: int
    code: int | None = None
    messages: Sequence[str] = ()


def action_of(actor: Actor, terminal: int, action_id: int) -> Action:
    """Raises NotFound: there is none of this terminal."""
    mine = (Action.id == action_id) & (Action.terminal == terminal) & (Action.tenant == actor.tenant)
    action: Action | None = Action.get_or_none(mine)
    if action is None:
        raise NotFound(f"action {action_id}")
    return action


def due(terminal: int) -> Action | None:
    """What this terminal is to do next. Actions that are to be left come first, the oldest before the newest."""
    active = Action.select().where((Action.terminal == terminal) & Action.active)
    leaving = active.where(Action.status == CANCELING).order_by(Action.id).first()
    found: Action | None = leaving or active.order_by(Action.weight.desc(), Action.id).first()
    return found


def tell(actor: Actor, terminal: int, action_id: int, told: Told, at_ms: int) -> Action:
    """A terminal's word on an action that goes on.

    Raises:
        NotFound. Refused ``gone``: it has ended before. Refused ``too_many``: it was told of too often.
    """
    with step():
        action = _open(actor, terminal, action_id)
        status = told.status
        if action.status == CANCELING and status not in ("finished", "error", "canceled"):
            status = CANCELING  # what it still does does not take the cancelling back
        ends = status in ("finished", "error", "canceled") or (
            status == "downloaded" and action.force == "downloadonly"
        )
        _note(action, told, at_ms)
        _move(action, status, told.code, ends, at_ms)
        if status == "finished":
            _has(terminal, action.set_id, at_ms)
        return action


def tell_cancel(actor: Actor, terminal: int, action_id: int, status: str, told: Told, at_ms: int) -> Action:
    """A terminal's word on being told to leave an action. ``status``: canceled | cancel_rejected | error | running.

    Raises as ``tell``; Refused ``not_canceling``: nobody asked it to.
    """
    with step():
        action = _open(actor, terminal, action_id)
        if action.status != CANCELING:
            raise Refused("not_canceling", "Nobody asked to cancel this action.")
        _note(action, told, at_ms)
        if status == "cancel_rejected":
            _move(action, "running", told.code, False, at_ms)
        elif status != "running":
            _move(action, status, told.code, True, at_ms)
        return action


def confirm(actor: Actor, terminal: int, action_id: int, agreed: bool, told: Told, at_ms: int) -> Action:
    """Somebody's consent at the terminal. Raises as ``tell``; Refused ``confirmed``: it was given before."""
    with step():
        action = _open(actor, terminal, action_id)
        if action.confirmed:
            raise Refused("confirmed", "This action waits for nobody's consent.")
        _note(action, told, at_ms)
        if agreed:
            Action.update(confirmed=True).where(Action.id == action.id).execute()
            _move(action, "running", told.code, False, at_ms)
        return action


def installed_elsewhere(actor: Actor, terminal: int, name: str, version: str, at_ms: int) -> Action:
    """It got a set without us (a stick): an action that has ended well.

    Raises:
        NotFound: there is no such set in this city.
    """
    named = (DistributionSet.name == name) & (DistributionSet.version == version)
    with step():
        chosen = DistributionSet.get_or_none(
            named & (DistributionSet.tenant == actor.tenant) & ~DistributionSet.deleted
        )
        if chosen is None:
            raise NotFound(f"{name} {version}")
        made = {"tenant": actor.tenant, "terminal": terminal, "set": chosen, "created_by": actor.who}
        times = {"created_ms": at_ms, "changed_ms": at_ms}
        action: Action = Action.create(status="finished", active=False, **made, **times)
        _note(action, Told("finished", at_ms, None, ["Installed without the fleet."]), at_ms)
        _has(terminal, chosen.id, at_ms, assigned=True)
        return action


def retrieved(action: Action, at_ms: int) -> None:
    """The terminal has looked at it for the first time, and told nothing yet."""
    with step():
        if ActionStatus.select().where(ActionStatus.action == action.id).count() > 1:
            return
        first = (Action.id == action.id) & (Action.status == "running")
        if Action.update(status="retrieved", changed_ms=at_ms).where(first).execute():
            _note(action, Told("retrieved", at_ms, None, ["The terminal has fetched what it is to do."]), at_ms)


def _open(actor: Actor, terminal: int, action_id: int) -> Action:
    action = action_of(actor, terminal, action_id)
    if not action.active:
        raise Refused("gone", "This action has ended.")
    if ActionStatus.select().where(ActionStatus.action == action.id).count() >= STATUS_ROWS_MAX:
        raise Refused("too_many", f"An action is told of at most {STATUS_ROWS_MAX} times.")
    return action


def _note(action: Action, told: Told, at_ms: int) -> None:
    words = [message[:MESSAGE_CHARACTERS_MAX] for message in told.messages[:MESSAGES_MAX]]
    row = {"at_ms": at_ms, "told_ms": told.told_ms, "status": told.status, "code": told.code, "messages": words}
    ActionStatus.create(action=action.id, **row)


def _move(action: Action, status: str, code: int | None, ends: bool, at_ms: int) -> None:
    changed = {"status": status, "active": not ends, "code": code, "changed_ms": at_ms}
    Action.update(**changed).where(Action.id == action.id).execute()
    action.status, action.active = status, not ends
    if ends:
        facts = {"action": action.id, "status": status, "set": action.set_id}
        TerminalEvent.create(
            tenant=action.tenant_id, terminal=action.terminal_id, at_ms=at_ms, what="update", facts=facts
        )
        point_at_next(action.terminal_id, at_ms)


def point_at_next(terminal: int, at_ms: int) -> None:
    """Its poll names the action that is due now, or none."""
    following = due(terminal)
    Terminal.update(action=str(following.id) if following else "").where(Terminal.id == terminal).execute()
    touch(Terminal.id == terminal, at_ms)


def _has(terminal: int, set_id: int, at_ms: int, assigned: bool = False) -> None:
    row = {"installed": set_id, "installed_ms": at_ms, **({"assigned": set_id} if assigned else {})}
    TerminalSoftware.insert(terminal=terminal, **row).on_conflict(
        conflict_target=[TerminalSoftware.terminal], update=row
    ).execute()
