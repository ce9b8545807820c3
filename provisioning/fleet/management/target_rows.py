"""A page of targets with what stands in other tables, in a few questions for the page and not for each of them."""

from collections.abc import Sequence
from typing import Any

import peewee

from provisioning.fleet.database import tuples
from provisioning.fleet.management.door import Asked
from provisioning.fleet.management.rsql import NotRsql, condition
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.software import Action, DistributionSet, TerminalAttribute, TerminalSoftware
from provisioning.fleet.schema.terminals import Terminal, TerminalHealth

OVERDUE_FACTOR = 2  # polls missed, before a target counts as overdue


def fields_of_targets() -> dict[str, Any]:
    return {
        "controllerid": Terminal.terminal_id,
        "id": Terminal.terminal_id,
        "name": Terminal.terminal_id,
        "createdat": Terminal.created_ms,
        "lastmodifiedat": Terminal.changed_ms,
        "profile": Terminal.profile,
        "state": Terminal.state,
        "attribute.*": _attribute,
        "assignedds.*": lambda name: _of_set(TerminalSoftware.assigned, name),
        "installedds.*": lambda name: _of_set(TerminalSoftware.installed, name),
        "place.*": _place,
    }


def _attribute(key: str) -> Any:
    def compared(comparison: str, values: list[str]) -> Any:
        fits = (TerminalAttribute.key == key) & condition(TerminalAttribute.value, comparison, values)
        return Terminal.id.in_(TerminalAttribute.select(TerminalAttribute.terminal).where(fits))

    return compared


def _of_set(column: Any, name: str) -> Any:
    """``assignedds.name``, ``assignedds.version``"""
    fields = {"name": DistributionSet.name, "version": DistributionSet.version, "id": DistributionSet.id}
    if name.lower() not in fields:
        raise NotRsql(f"A set has no {name} here.")

    def compared(comparison: str, values: list[str]) -> Any:
        sets = DistributionSet.select(DistributionSet.id).where(condition(fields[name.lower()], comparison, values))
        return Terminal.id.in_(TerminalSoftware.select(TerminalSoftware.terminal).where(column.in_(sets)))

    return compared


def _place(name: str) -> Any:
    """``place.path==/1/5/*`` for all below a place, ``place.id==5`` for one."""
    fields = {"path": Place.path, "id": Place.id, "name": Place.name_zh}
    if name.lower() not in fields:
        raise NotRsql(f"A place has no {name} here.")

    def compared(comparison: str, values: list[str]) -> Any:
        return Terminal.place.in_(Place.select(Place.id).where(condition(fields[name.lower()], comparison, values)))

    return compared


def target_shapes(asked: Asked, rows: Sequence[Terminal]) -> list[dict[str, Any]]:
    keys = [row.id for row in rows]
    mine = TerminalSoftware.terminal.in_(keys)
    software: dict[int, TerminalSoftware] = {row.terminal_id: row for row in TerminalSoftware.select().where(mine)}
    heard = TerminalHealth.select(TerminalHealth.terminal, TerminalHealth.seen_ms)
    seen: dict[int, int] = dict(tuples(heard.where(TerminalHealth.terminal.in_(keys))))
    newest = _newest_actions(keys)
    return [_shape(asked, row, software.get(row.id), seen.get(row.id), newest.get(row.id, ("", False))) for row in rows]


def _newest_actions(keys: Sequence[int]) -> dict[int, tuple[str, bool]]:
    last = Action.select(peewee.fn.MAX(Action.id)).where(Action.terminal.in_(keys)).group_by(Action.terminal)
    rows = Action.select(Action.terminal, Action.status, Action.active).where(Action.id.in_(last))
    return {key: (status, active) for key, status, active in tuples(rows)}


def _shape(
    asked: Asked, row: Terminal, software: TerminalSoftware | None, seen_ms: int | None, newest: tuple[str, bool]
) -> dict[str, Any]:
    me = f"{asked.base}/targets/{row.terminal_id}"
    shape: dict[str, Any] = {
        "createdBy": "fleet",
        "createdAt": row.created_ms,
        "lastModifiedBy": "fleet",
        "lastModifiedAt": row.changed_ms,
        "name": row.terminal_id,
        "controllerId": row.terminal_id,
        "updateStatus": _status(software, seen_ms, newest),
        "requestAttributes": False,
        "autoConfirmActive": bool(software and software.auto_confirm),
        "_links": {
            "self": {"href": me},
            **{name: {"href": f"{me}/{name}"} for name in ("assignedDS", "installedDS", "attributes", "actions")},
        },
    }
    if software is not None and software.installed_ms is not None:
        shape["installedAt"] = software.installed_ms
    if seen_ms is not None:
        next_ms = seen_ms + int(row.sleep_s * 1000)
        overdue = asked.at_ms > seen_ms + int(OVERDUE_FACTOR * row.sleep_s * 1000)
        shape["lastControllerRequestAt"] = seen_ms
        shape["pollStatus"] = {"lastRequestAt": seen_ms, "nextExpectedRequestAt": next_ms, "overdue": overdue}
    return shape


def _status(software: TerminalSoftware | None, seen_ms: int | None, newest: tuple[str, bool]) -> str:
    """hawkBit's words for where a target stands."""
    status, active = newest
    if active:
        return "pending"
    if status == "error":
        return "error"
    if software is not None and software.installed_id is not None and software.installed_id == software.assigned_id:
        return "in_sync"
    return "registered" if seen_ms is not None else "unknown"
