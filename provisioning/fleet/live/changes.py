"""What is worth a line in a terminal's history, between one report and the next."""

from collections.abc import Iterator
from typing import Any

import msgspec

EVENTS_MAX = 40  # of one report


class BriefSlot(msgspec.Struct):
    condition: str = ""
    reason: str = ""


class Brief(msgspec.Struct):
    """The part of a stored report (``provisioning.rules.poll.Health``) whose changes are told."""

    serving: bool = False
    slots: dict[str, BriefSlot] = {}
    versions: dict[str, str] = {}


Event = tuple[str, dict[str, Any]]


def changes(before: Brief | None, now: Brief) -> list[Event]:
    """Kind and facts of each change; nothing for a terminal's first report."""
    if before is None:
        return [("first_report", {})]
    return [*_all_changes(before, now)][:EVENTS_MAX]


def _all_changes(before: Brief, now: Brief) -> Iterator[Event]:
    if before.serving != now.serving:
        yield "serving", {"is": now.serving}
    for slot in sorted(before.slots.keys() | now.slots.keys()):
        was, is_ = before.slots.get(slot), now.slots.get(slot)
        if was != is_:
            yield "slot", {"slot": slot, "was": _condition(was), "is": _condition(is_), "reason": _reason(is_)}
    for part in sorted(before.versions.keys() | now.versions.keys()):
        if before.versions.get(part) != now.versions.get(part):
            yield "version", {"part": part, "was": before.versions.get(part), "is": now.versions.get(part)}


def _condition(slot: BriefSlot | None) -> str | None:
    return slot.condition if slot else None


def _reason(slot: BriefSlot | None) -> str:
    return slot.reason if slot else ""
