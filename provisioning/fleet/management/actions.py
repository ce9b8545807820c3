"""Actions and what was told of them, and rollouts: proposed here, approved by a person."""

from typing import Annotated, Any

import msgspec
from starlette.routing import Route

from provisioning.fleet import audit
from provisioning.fleet.actor import NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.management import shapes
from provisioning.fleet.management.door import Asked, deletes, must, reads, takes
from provisioning.fleet.management.pages import page, whole
from provisioning.fleet.management.targets import Force, terminal_of_path
from provisioning.fleet.rollouts import plan
from provisioning.fleet.schema.rollouts import Member, Rollout
from provisioning.fleet.schema.software import Action, ActionStatus
from provisioning.fleet.schema.terminals import Terminal
from provisioning.fleet.software import assign
from provisioning.fleet.software.feedback import point_at_next
from provisioning.fleet.touch import touch
from provisioning.rules.rollouts import Gate


class ForceOf(msgspec.Struct, rename="camel"):
    force_type: Force


class NewRollout(msgspec.Struct, rename="camel"):
    """hawkBit's groups, ours by place: ``targetFilterQuery`` of a group is the number of a place."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    distribution_set_id: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
    groups: Annotated[list["RolloutGroup"], msgspec.Meta(min_length=1, max_length=50)]
    description: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]


class RolloutGroup(msgspec.Struct, rename="camel"):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    target_filter_query: Annotated[str, msgspec.Meta(pattern=r"^place==[0-9]{1,9}$")]


ACTION_FIELDS = {
    "id": Action.id, "status": Action.active, "detailstatus": Action.status, "createdat": Action.created_ms,
    "lastmodifiedat": Action.changed_ms, "weight": Action.weight, "rollout": Action.rollout,
    "distributionset.id": Action.set,
}  # fmt: skip


def actions(asked: Asked) -> Any:
    rows = Action.select().where(Action.tenant == asked.actor.tenant)
    return page(asked, rows, ACTION_FIELDS, lambda part: [shapes.action(one, asked.base) for one in part])


def actions_of_target(asked: Asked) -> Any:
    rows = Action.select().where(
        (Action.terminal == terminal_of_path(asked).id) & (Action.tenant == asked.actor.tenant)
    )
    return page(asked, rows, ACTION_FIELDS, lambda part: [shapes.action(one, asked.base) for one in part])


def one_action(asked: Asked) -> Any:
    return shapes.action(_action(asked), asked.base)


def change_action(asked: Asked, told: ForceOf) -> Any:
    with step():
        action = _action(asked)
        if not action.active:
            raise Refused("gone", "This action has ended.")
        Action.update(force=told.force_type, changed_ms=asked.at_ms).where(Action.id == action.id).execute()
        touch(Terminal.id == action.terminal_id, asked.at_ms)
        audit.record(asked.actor, asked.at_ms, "action_force", action.terminal.terminal_id, "", {"action": action.id})
    return shapes.action(_action(asked), asked.base)


def cancel_action(asked: Asked) -> None:
    """Asks the terminal to leave it; with ``force=true`` and after that it counts as canceled at once."""
    with step():
        action = _action(asked)
        if not action.active:
            raise Refused("gone", "This action has ended.")
        if asked.request.query_params.get("force") == "true" and action.status == "canceling":
            ended = {"status": "canceled", "active": False, "changed_ms": asked.at_ms}
            Action.update(**ended).where(Action.id == action.id).execute()
            point_at_next(action.terminal_id, asked.at_ms)
        else:
            assign.cancel(asked.actor, [action.id], asked.at_ms)
        audit.record(asked.actor, asked.at_ms, "action_cancel", action.terminal.terminal_id, "", {"action": action.id})


def statuses(asked: Asked) -> Any:
    rows = ActionStatus.select().where(ActionStatus.action == _action(asked).id)
    fields = {"id": ActionStatus.id, "reportedat": ActionStatus.at_ms, "code": ActionStatus.code}
    return page(asked, rows, fields, lambda part: [shapes.action_status(one) for one in part])


def rollouts(asked: Asked) -> Any:
    rows = Rollout.select().where(Rollout.tenant == asked.actor.tenant)
    fields = {"id": Rollout.id, "name": Rollout.name, "status": Rollout.state, "createdat": Rollout.created_ms}
    return page(asked, rows, fields, lambda part: [_rollout(asked, one) for one in part])


def make_rollout(asked: Asked, told: NewRollout) -> Any:
    """A proposal: a person approves it, which is hawkBit's ``waiting_for_approval``."""
    waves = [plan.PlannedWave(one.name, (int(one.target_filter_query.removeprefix("place==")),)) for one in told.groups]
    proposal = plan.propose(
        asked.actor, told.name, told.distribution_set_id, waves, Gate(), told.description, asked.at_ms
    )
    return {"name": told.name, "status": "waiting_for_approval", "proposal": proposal}


def one_rollout(asked: Asked) -> Any:
    return _rollout(asked, plan.rollout_of(asked.actor, asked.key("rollout")))


def waves(asked: Asked) -> Any:
    rollout = plan.rollout_of(asked.actor, asked.key("rollout"))
    count = {wave.id: Member.select().where(Member.wave == wave.id).count() for wave in plan.waves_of(rollout)}
    return whole([shapes.wave(one, count[one.id], asked.base) for one in plan.waves_of(rollout)])


def _rollout(asked: Asked, row: Rollout) -> dict[str, Any]:
    return shapes.rollout(row, Member.select().where(Member.rollout == row.id).count(), asked.base)


def _action(asked: Asked) -> Action:
    mine = (Action.id == asked.key("action")) & (Action.tenant == asked.actor.tenant)
    action: Action = must(Action.get_or_none(mine))
    name = asked.request.path_params.get("controller")
    if name is not None and action.terminal.terminal_id != name:
        raise NotFound
    return action


_T, _R = "/rest/v1/targets/{controller}/actions", "/rest/v1/rollouts"
ROUTES = [
    Route(_T, reads(actions_of_target)),
    Route(f"{_T}/{{action:key}}", reads(one_action)),
    Route(f"{_T}/{{action:key}}", takes(ForceOf, change_action, right="assign"), methods=["PUT"]),
    Route(f"{_T}/{{action:key}}", deletes(cancel_action, "assign"), methods=["DELETE"]),
    Route(f"{_T}/{{action:key}}/status", reads(statuses)),
    Route("/rest/v1/actions", reads(actions)),
    Route("/rest/v1/actions/{action:key}", reads(one_action)),
    Route(_R, reads(rollouts)),
    Route(_R, takes(NewRollout, make_rollout, 202, "assign"), methods=["POST"]),
    Route(f"{_R}/{{rollout:key}}", reads(one_rollout)),
    Route(f"{_R}/{{rollout:key}}/deploygroups", reads(waves)),
]
