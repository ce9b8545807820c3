"""Terminals as hawkBit's targets, what they were assigned, their actions, and rollouts."""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from starlette.routing import Route

from provisioning.fleet import audit
from provisioning.fleet.actor import NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.identity import TOKENS_ALLOWED
from provisioning.fleet.management.door import Asked, must, reads, takes
from provisioning.fleet.management.pages import page
from provisioning.fleet.management.software import set_shape
from provisioning.fleet.management.target_rows import fields_of_targets, target_shapes
from provisioning.fleet.schema.places import Place, Tenant
from provisioning.fleet.schema.software import (
    Action,
    TerminalAttribute,
    TerminalSoftware,
)
from provisioning.fleet.schema.terminals import Terminal
from provisioning.fleet.software import assign, catalogue
from provisioning.fleet.software.assign import set_of
from provisioning.rules.poll import TERMINAL_ID

TARGETS_MAX = 500  # of one assignment or registration
Force = Literal["soft", "forced", "timeforced", "downloadonly"]
Millis = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
ControllerId = Annotated[str, msgspec.Meta(pattern=TERMINAL_ID)]
Secret = Annotated[str, msgspec.Meta(min_length=16, max_length=128)]


class NewTarget(msgspec.Struct, rename="camel"):
    """A stock client: our own terminals are enrolled."""

    controller_id: ControllerId
    name: str | None = None
    description: str | None = None
    security_token: Secret | None = None


class ChangedTarget(msgspec.Struct, rename="camel"):
    security_token: Secret


class Assignment(msgspec.Struct, rename="camel"):
    """``id``: of a set where targets are assigned to, of a target where sets are."""

    id: int | str
    type: Force | None = None
    forcetime: Millis | None = None
    weight: Annotated[int, msgspec.Meta(ge=0, le=1000)] | None = None
    confirmation_required: bool | None = None


def targets(asked: Asked) -> Any:
    rows = Terminal.select().where(Terminal.tenant == asked.actor.tenant)
    return page(asked, rows, fields_of_targets(), lambda part: target_shapes(asked, part))


def one_target(asked: Asked) -> Any:
    return target_shapes(asked, [terminal_of_path(asked)])[0]


def make_targets(asked: Asked, told: list[NewTarget]) -> Any:
    """Raises Refused: this city takes no tokens, or a number is taken."""
    if not Tenant.get_by_id(asked.actor.tenant).settings.get(TOKENS_ALLOWED):
        raise Refused("no_tokens", "This city takes no stock clients. Terminals are enrolled at the console.")
    if len(told) > TARGETS_MAX:
        raise Refused("too_many", f"At most {TARGETS_MAX} at once.")
    place = Place.get((Place.tenant == asked.actor.tenant) & Place.parent.is_null())
    made = []
    with step():
        for one in told:
            made.append(_make_target(asked, one, place))
    shown = target_shapes(asked, [row for row, _ in made])
    return [{**shape, "securityToken": token} for shape, (_, token) in zip(shown, made, strict=True)]


def _make_target(asked: Asked, told: NewTarget, place: Place) -> tuple[Terminal, str]:
    if Terminal.get_or_none(Terminal.terminal_id == told.controller_id):
        raise Refused("exists", "There is a terminal of that number already.")
    token = told.security_token or secrets.token_urlsafe(24)
    row = {"terminal_id": told.controller_id, "serial": f"ddi-{told.controller_id}", "state": "active"}
    times = {"created_ms": asked.at_ms, "changed_ms": asked.at_ms}
    made: Terminal = Terminal.create(tenant=asked.actor.tenant, place=place, token_hash=_digest(token), **row, **times)
    audit.record(asked.actor, asked.at_ms, "target_made", told.controller_id)
    return made, token


def change_target(asked: Asked, told: ChangedTarget) -> Any:
    """Only its token: place, state and name are the console's."""
    with step():
        terminal = terminal_of_path(asked)
        if not terminal.token_hash:
            raise Refused("no_token", "This terminal has a certificate and no token.")
        Terminal.update(token_hash=_digest(told.security_token)).where(Terminal.id == terminal.id).execute()
        audit.record(asked.actor, asked.at_ms, "target_token_changed", terminal.terminal_id)
    return target_shapes(asked, [terminal])[0]


def attributes(asked: Asked) -> Any:
    rows = TerminalAttribute.select().where(TerminalAttribute.terminal == terminal_of_path(asked).id)
    return {row.key: row.value for row in rows}


def assigned(asked: Asked) -> Any:
    row = TerminalSoftware.get_or_none(TerminalSoftware.terminal == terminal_of_path(asked).id)
    return set_shape(asked, row.assigned) if row and row.assigned is not None else None


def installed(asked: Asked) -> Any:
    row = TerminalSoftware.get_or_none(TerminalSoftware.terminal == terminal_of_path(asked).id)
    return set_shape(asked, row.installed) if row and row.installed is not None else None


def assign_set(asked: Asked, told: list[Assignment]) -> Any:
    """One set to the terminal of the path."""
    terminal = terminal_of_path(asked)
    pairs = [(_number(one.id), terminal.terminal_id, one) for one in told]
    return _assigned(asked, pairs)


def assign_targets(asked: Asked, told: list[Assignment]) -> Any:
    """The set of the path to several terminals."""
    if len(told) > TARGETS_MAX:
        raise Refused("too_many", f"At most {TARGETS_MAX} at once. More take a rollout.")
    return _assigned(asked, [(asked.key("set"), str(one.id), one) for one in told])


def _assigned(asked: Asked, pairs: Sequence[tuple[int, str, Assignment]]) -> Any:
    made, already = [], 0
    with step():
        for set_id, name, wish in pairs:
            key = _of_city(asked, name).id
            if not catalogue.complete(asked.actor, set_of(asked.actor, set_id)):
                raise Refused("not_complete", "The set lacks a module that its type wants.")
            before = {row.id for row in Action.select(Action.id).where((Action.terminal == key) & Action.active)}
            action = assign.assign(
                asked.actor, [key], set_id, asked.at_ms, force=wish.type or "forced", weight=_weight(wish)
            )[key]
            if action in before:
                already += 1
                continue
            _finish(action, wish)
            audit.record(asked.actor, asked.at_ms, "assign", name, "", {"set": set_id, "action": action})
            made.append(action)
    links = [{"id": one} for one in made]
    return {"assigned": len(made), "alreadyAssigned": already, "total": len(pairs), "assignedActions": links}


def _weight(wish: Assignment) -> int:
    return 1000 if wish.weight is None else wish.weight


def _finish(action: int, wish: Assignment) -> None:
    more: dict[str, Any] = {"forced_ms": wish.forcetime} if wish.forcetime is not None else {}
    if wish.confirmation_required:
        more |= {"confirmed": False, "status": "wait_for_confirmation"}
    if more:
        Action.update(**more).where(Action.id == action).execute()


def targets_of_set(asked: Asked) -> Any:
    return _with_set(asked, TerminalSoftware.assigned)


def targets_with_set(asked: Asked) -> Any:
    return _with_set(asked, TerminalSoftware.installed)


def _with_set(asked: Asked, column: Any) -> Any:
    chosen = set_of(asked.actor, asked.key("set"))
    having = TerminalSoftware.select(TerminalSoftware.terminal).where(column == chosen.id)
    rows = Terminal.select().where((Terminal.tenant == asked.actor.tenant) & Terminal.id.in_(having))
    return page(asked, rows, fields_of_targets(), lambda part: target_shapes(asked, part))


def terminal_of_path(asked: Asked) -> Terminal:
    return _of_city(asked, asked.request.path_params["controller"])


def _of_city(asked: Asked, name: str) -> Terminal:
    mine = (Terminal.terminal_id == name) & (Terminal.tenant == asked.actor.tenant)
    found: Terminal = must(Terminal.get_or_none(mine))
    return found


def _number(told: int | str) -> int:
    if isinstance(told, int) or (told.isascii() and told.isdigit() and len(told) <= 9):
        return int(told)
    raise NotFound


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


_T, _S = "/rest/v1/targets/{controller}", "/rest/v1/distributionsets/{set:key}"
ROUTES = [
    Route("/rest/v1/targets", reads(targets)),
    Route("/rest/v1/targets", takes(list[NewTarget], make_targets, 201), methods=["POST"]),
    Route(_T, reads(one_target)),
    Route(_T, takes(ChangedTarget, change_target), methods=["PUT"]),
    Route(f"{_T}/attributes", reads(attributes)),
    Route(f"{_T}/assignedDS", reads(assigned)),
    Route(f"{_T}/assignedDS", takes(list[Assignment], assign_set, right="assign", single=True), methods=["POST"]),
    Route(f"{_T}/installedDS", reads(installed)),
    Route(f"{_S}/assignedTargets", reads(targets_of_set)),
    Route(
        f"{_S}/assignedTargets", takes(list[Assignment], assign_targets, right="assign", single=True), methods=["POST"]
    ),
    Route(f"{_S}/installedTargets", reads(targets_with_set)),
]
