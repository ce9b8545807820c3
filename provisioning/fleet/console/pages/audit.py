"""The audit trail: read, narrowed, and proven whole. Who reads it stands on it, too."""

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.responses import Response

from provisioning.fleet import audit
from provisioning.fleet.actor import NotFound
from provisioning.fleet.console.page import Page
from provisioning.fleet.console.render import TIME_ZONE, show
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.people.persons import root
from provisioning.fleet.schema.audit import AuditRow

PAGE = 100
WORDS_MAX = 80
FILTERS = ("who", "act_is", "subject", "since", "until")


def draw(visit: Visit) -> Response:
    return _shown(visit, None)


def verify(visit: Visit) -> Response:
    _must_be_auditor(visit)
    verdict = audit.verify(visit.city.code)
    audit.record(visit.actor, visit.at_ms, "audit_verified", "audit", "", {"broken_at": verdict.broken_at})
    return _shown(visit, verdict)


def _shown(visit: Visit, verdict: audit.Verdict | None) -> Response:
    _must_be_auditor(visit)
    told = {name: visit.query.get(name, "")[:WORDS_MAX] for name in FILTERS}
    before = visit.query.get("before", "")
    asked = _narrowed(visit, told)
    if before.isdigit():
        asked = asked.where(AuditRow.seq < int(before))
    rows = list(asked.order_by(AuditRow.seq.desc()).limit(PAGE + 1))
    known = {name: value for name, value in told.items() if value}
    more = urlencode({**known, "before": rows[PAGE - 1].seq}) if len(rows) > PAGE else ""
    return show(visit, "audit.html", rows=rows[:PAGE], told=told, more=more, verdict=verdict)


def _must_be_auditor(visit: Visit) -> None:
    if not visit.may("audit", root(visit.city.code)):
        raise NotFound


def _narrowed(visit: Visit, told: dict[str, str]) -> Any:
    asked = AuditRow.select().where(AuditRow.tenant == visit.city)
    if told["who"]:
        asked = asked.where(AuditRow.who.contains(told["who"]))
    if told["act_is"]:
        asked = asked.where(AuditRow.act.contains(told["act_is"]))
    if told["subject"]:
        asked = asked.where(AuditRow.subject.contains(told["subject"]))
    if (since := _midnight(visit, told["since"])) is not None:
        asked = asked.where(AuditRow.at_ms >= since)
    if (until := _midnight(visit, told["until"], days=1)) is not None:
        asked = asked.where(AuditRow.at_ms < until)
    return asked


def _midnight(visit: Visit, day: str, days: int = 0) -> int | None:
    """Of the city's clock; None where it is no day."""
    try:
        start = date.fromisoformat(day) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    zone = ZoneInfo(visit.city.settings.get("time_zone", TIME_ZONE))
    return int(datetime(start.year, start.month, start.day, tzinfo=zone).timestamp() * 1000)


ROUTES = [Page("/console/{tenant}/audit", draw, {"verify": verify}).route()]
