"""What people do with alerts: take one, note what was done, keep quiet for maintenance, say who is told."""

from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.alerts.watch import rules_of
from provisioning.fleet.database import step
from provisioning.fleet.enrolment.places import must_be_allowed, place_of
from provisioning.fleet.people.persons import root as root_of
from provisioning.fleet.schema.alerts import Alert, AlertRule, Route, Silence
from provisioning.fleet.schema.places import Place
from provisioning.rules.alerts import FIGURES, Rule

SILENCE_S_MAX = 14 * 86_400
NOTE_CHARS_MAX = 500
SHOWN_MAX = 500


def open_alerts(actor: Actor, paths: Sequence[str] = ("/",)) -> list[Alert]:
    """Told and not ended, below any of these places: urgent first, then those that nobody took, oldest first."""
    told = (Alert.tenant == actor.tenant) & Alert.ended_ms.is_null() & Alert.told_ms.is_null(False)
    rows = Alert.select(Alert, Place).join(Place).where(told).order_by(Alert.told_ms).limit(SHOWN_MAX)
    mine = [row for row in rows if any(row.place.path.startswith(path) for path in paths)]
    return sorted(mine, key=lambda row: (row.severity != "urgent", row.acknowledged_ms is not None))


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


def change_rule(actor: Actor, rule: Rule, enabled: bool, why: str, at_ms: int) -> None:
    """A bound of this city's own, by who runs its places. Raises Refused: not theirs, no such figure, no reason."""
    must_be_allowed(actor, "places", root_of(actor.tenant))
    if rule.figure not in FIGURES or not why.strip():
        raise Refused("bad_rule", "A rule names one of the figures, and a change of it a reason.")
    with step():
        told = {"rule": msgspec.to_builtins(rule), "enabled": enabled, "changed_by": actor.who, "changed_ms": at_ms}
        AlertRule.insert(tenant=actor.tenant, name=rule.name, **told).on_conflict(
            conflict_target=[AlertRule.tenant, AlertRule.name], update=told
        ).execute()
        audit.record(actor, at_ms, "alert_rule", rule.name, why, told)


def add_route(
    actor: Actor, place_id: int, name: str, url: str, severity: str, hours: tuple[int, int], after_s: int, at_ms: int
) -> int:
    """Who is told below this place. ``hours``: of the city's day, 22 to 6 goes over midnight.

    Raises:
        NotFound: no such place. Refused: not theirs to say there, no https address, or hours that are none.
    """
    if urlsplit(url).scheme != "https" or not urlsplit(url).hostname:
        raise Refused("bad_address", "Messages go to an https address of the city's own gateway.")
    if severity not in ("warning", "urgent") or not all(0 <= hour <= 24 for hour in hours) or after_s < 0:
        raise Refused("bad_route", "Hours lie between 0 and 24, and nobody is told before it happens.")
    with step():
        place = place_of(actor.tenant, place_id)
        must_be_allowed(actor, "places", place)
        facts = {"name": name, "url": url, "severity": severity, "after_s": after_s}
        made = Route.create(tenant=actor.tenant, place=place, from_hour=hours[0], to_hour=hours[1], **facts)
        audit.record(actor, at_ms, "alert_route", f"place {place.id}", facts={**facts, "hours": list(hours)})
        return int(made.id)


def rules(actor: Actor) -> list[Rule]:
    """In force in this city, by name."""
    return [rule for _, rule in sorted(rules_of(actor.tenant).items())]


def _alert(actor: Actor, alert_id: int) -> Alert:
    found: Alert | None = Alert.get_or_none((Alert.id == alert_id) & (Alert.tenant == actor.tenant))
    if found is None:
        raise NotFound(f"alert {alert_id}")
    return found
