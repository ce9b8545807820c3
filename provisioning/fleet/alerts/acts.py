"""What people do with alerts: take one, note what was done, keep quiet for maintenance."""

from collections.abc import Sequence

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.enrolment.places import must_be_allowed, place_of
from provisioning.fleet.schema.alerts import Alert, Silence
from provisioning.fleet.schema.places import Place
from provisioning.rules.alerts import GRAVES

SILENCE_S_MAX = 14 * 86_400
NOTE_CHARS_MAX = 500
SHOWN_MAX = 500


def open_alerts(actor: Actor, paths: Sequence[str] = ("/",)) -> list[Alert]:
    """Told and not ended, below any of these places: the gravest first, then those that nobody took, oldest first."""
    told = (Alert.tenant == actor.tenant) & Alert.ended_ms.is_null() & Alert.told_ms.is_null(False)
    rows = Alert.select(Alert, Place).join(Place).where(told).order_by(Alert.told_ms).limit(SHOWN_MAX)
    mine = [row for row in rows if any(row.place.path.startswith(path) for path in paths)]
    return sorted(mine, key=lambda row: (-GRAVES.index(row.severity), row.acknowledged_ms is not None))


def acknowledge(actor: Actor, alert_id: int, note: str, at_ms: int) -> None:
    """Somebody takes it. Raises NotFound; Refused: not theirs to take, it ended, or another person has it."""
    with step():
        alert = _alert(actor, alert_id)
        must_be_allowed(actor, "acknowledge", alert.place)
        free = (Alert.id == alert.id) & Alert.acknowledged_ms.is_null() & Alert.ended_ms.is_null()
        taken = {"acknowledged_ms": at_ms, "acknowledged_by": actor.who, "note": note.strip()[:NOTE_CHARS_MAX]}
        if Alert.update(**taken).where(free).execute() != 1:
            raise Refused("taken", "Somebody has this already, or it has ended.")
        audit.record(actor, at_ms, "alert_taken", alert.subject, note, {"alert": alert.id, "rule": alert.rule})


def keep_quiet(actor: Actor, place_id: int, rule: str, for_s: int, why: str, at_ms: int) -> int:
    """Maintenance: until then nobody is told of what happens below this place; it is still shown.

    Raises:
        NotFound: no such place. Refused: not theirs to say there, too long, or no reason.
    """
    if not why.strip() or not 0 < for_s <= SILENCE_S_MAX:
        raise Refused("bad_silence", "Say why, and for at most fourteen days.")
    with step():
        place = place_of(actor.tenant, place_id)
        must_be_allowed(actor, "acknowledge", place)
        until_ms = at_ms + for_s * 1000
        made = Silence.create(
            tenant=actor.tenant, place=place, rule=rule, from_ms=at_ms, until_ms=until_ms, by=actor.who, why=why
        )
        facts = {"place": place.id, "rule": rule, "until_ms": until_ms}
        audit.record(actor, at_ms, "alerts_silenced", f"place {place.id}", why, facts)
        return int(made.id)


def end_quiet(actor: Actor, silence_id: int, at_ms: int) -> None:
    """Before its time. Raises NotFound; Refused: not theirs to say there."""
    with step():
        mine = (Silence.id == silence_id) & (Silence.tenant == actor.tenant) & (Silence.until_ms > at_ms)
        silence = Silence.get_or_none(mine)
        if silence is None:
            raise NotFound(f"silence {silence_id}")
        must_be_allowed(actor, "acknowledge", silence.place)
        Silence.update(until_ms=at_ms).where(Silence.id == silence_id).execute()
        audit.record(actor, at_ms, "alerts_heard_again", f"silence {silence_id}")


def _alert(actor: Actor, alert_id: int) -> Alert:
    found: Alert | None = Alert.get_or_none((Alert.id == alert_id) & (Alert.tenant == actor.tenant))
    if found is None:
        raise NotFound(f"alert {alert_id}")
    return found
