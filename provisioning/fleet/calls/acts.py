"""Takes calls from terminals and lets people take them on. A call says where and why, never who."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.enrolment.places import must_be_allowed
from provisioning.fleet.schema.calls import StaffCall
from provisioning.fleet.schema.places import Place, Tenant
from provisioning.fleet.schema.terminals import Terminal

MINUTES_UNTIL_HELP = 5  # a city's settings may say otherwise: {"minutes_until_help": 3}
HOURS_EAST = 8
SHOWN_MAX = 200
LATE_MS = 600_000


def call(actor: Actor, terminal: int, key: str, case_code: str, screen: str, reason: str, at_ms: int) -> int:
    """Within how many minutes somebody comes.

    Raises:
        Refused: ``nobody_at_desk``: outside the hours in which this city has somebody; the page then says so.
    """
    with step():
        settings = Tenant.get_by_id(actor.tenant).settings
        if not _somebody_there(settings, at_ms):
            raise Refused("nobody_at_desk", "值班台现在无人 Nobody is at the duty desk now")
        place = Terminal.get_by_id(terminal).place_id
        told = {"key": key, "case_code": case_code, "screen": screen, "reason": reason, "at_ms": at_ms}
        StaffCall.insert(tenant=actor.tenant, terminal=terminal, place=place, **told).on_conflict_ignore().execute()
        return int(settings.get("minutes_until_help", MINUTES_UNTIL_HELP))


def waiting(actor: Actor, paths: Sequence[str] = ("/",)) -> list[StaffCall]:
    """Calls that nobody took, below any of these places, oldest first."""
    free = (StaffCall.tenant == actor.tenant) & StaffCall.acknowledged_ms.is_null()
    rows = StaffCall.select(StaffCall, Place, Terminal).join(Place).switch(StaffCall).join(Terminal).where(free)
    found = rows.order_by(StaffCall.at_ms).limit(SHOWN_MAX)
    return [row for row in found if any(row.place.path.startswith(path) for path in paths)]


def take(actor: Actor, call_id: int, note: str, at_ms: int) -> None:
    """Somebody goes. Raises NotFound; Refused: not theirs to take, or another person has it."""
    with step():
        mine = (StaffCall.id == call_id) & (StaffCall.tenant == actor.tenant)
        found = StaffCall.get_or_none(mine)
        if found is None:
            raise NotFound(f"call {call_id}")
        must_be_allowed(actor, "acknowledge", found.place)
        taken = {"acknowledged_ms": at_ms, "acknowledged_by": actor.who, "note": note.strip()[:500]}
        if StaffCall.update(**taken).where(mine & StaffCall.acknowledged_ms.is_null()).execute() != 1:
            raise Refused("taken", "Somebody has this already.")
        facts = {"call": call_id, "waited_s": (at_ms - found.at_ms) // 1000}
        audit.record(actor, at_ms, "call_taken", found.terminal.terminal_id, note, facts)


def unanswered(actor: Actor, since_ms: int, at_ms: int) -> Counter[int]:
    """Place -> calls since then that nobody took within ten minutes: a figure for each hall."""
    late = (StaffCall.acknowledged_ms.is_null() & (StaffCall.at_ms < at_ms - LATE_MS)) | (
        StaffCall.acknowledged_ms - StaffCall.at_ms > LATE_MS
    )
    mine = (StaffCall.tenant == actor.tenant) & (StaffCall.at_ms >= since_ms) & late
    return Counter(row.place_id for row in StaffCall.select(StaffCall.place).where(mine))


def _somebody_there(settings: dict[str, object], at_ms: int) -> bool:
    """``desk_hours``: [8, 18] of the city's day; without it always."""
    hours = settings.get("desk_hours")
    if not isinstance(hours, list):
        return True
    east = settings.get("hours_east", HOURS_EAST)
    assert isinstance(east, int)
    hour = (datetime.fromtimestamp(at_ms / 1000, UTC) + timedelta(hours=east)).hour
    return int(hours[0]) <= hour < int(hours[1])
