"""Tells people: a message for each alert and route, to the webhook of the city's own SMS or mail gateway.

A gateway that does not answer is asked again, later each time, for a day. A message says what and where, never who: a
terminal's number, a place, a rule and the page to open.
"""

import http.client
import json
import ssl
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from provisioning.fleet.database import step
from provisioning.fleet.schema.alerts import Alert, Delivery, Route, Silence
from provisioning.fleet.schema.places import Place, Tenant

ANSWER_S_MAX = 10.0
FIRST_AGAIN_MS, AGAIN_MS_MAX, GIVE_UP_MS = 30_000, 3_600_000, 86_400_000
SENT_A_LOOK = 50
HOURS_EAST = 8  # China has one time zone; a city's settings may say otherwise: {"hours_east": 8}
# Gives a message to an address; "" where it was taken, else why not in a few words.
Send = Callable[[str, bytes], str]


def plan(tenant: str, at_ms: int) -> int:
    """Make the messages that are due now, each once; how many are due. Touches the database."""
    open_ = (Alert.tenant == tenant) & Alert.ended_ms.is_null() & Alert.told_ms.is_null(False)
    free = open_ & Alert.acknowledged_ms.is_null()
    with step():
        alerts = list(Alert.select(Alert, Place).join(Place).where(free))
        routes = list(Route.select(Route, Place).join(Place).where(Route.tenant == tenant))
        in_force = (Silence.tenant == tenant) & (Silence.until_ms > at_ms)
        quiet = list(Silence.select(Silence, Place).join(Place).where(in_force))
        hour = _hour(tenant, at_ms)
        wanted = [
            {"tenant": tenant, "alert": alert.id, "route": route.id, "made_ms": at_ms, "next_ms": at_ms}
            for alert in alerts
            if not _is_quiet(alert, quiet)
            for route in routes
            if _goes(alert, route, hour, at_ms)
        ]
        for one in wanted:
            Delivery.insert(one).on_conflict_ignore().execute()
        return len(wanted)


def deliver(tenant: str, send: Send, at_ms: int) -> int:
    """Send what is due; how many were taken. No step is open while a gateway is asked. One that did not answer is asked
    no more in this look: its other messages wait, so that it holds up neither other routes nor other cities."""
    due = (Delivery.tenant == tenant) & Delivery.next_ms.is_null(False) & (Delivery.next_ms <= at_ms)
    rows = Delivery.select(Delivery, Alert, Route).join(Alert).switch(Delivery).join(Route).where(due)
    taken, gone = 0, set[int]()
    for row in rows.order_by(Delivery.next_ms).limit(SENT_A_LOOK):
        if row.route_id in gone:
            continue
        if _send_one(row, send, at_ms):
            taken += 1
        else:
            gone.add(row.route_id)
            waiting = (Delivery.route == row.route_id) & Delivery.next_ms.is_null(False) & (Delivery.next_ms <= at_ms)
            Delivery.update(next_ms=at_ms + FIRST_AGAIN_MS).where(waiting).execute()
    return taken


def _send_one(row: Any, send: Send, at_ms: int) -> bool:
    tries = row.tries + 1
    # Before it is sent: a process that dies now sends it once more later, and no second process sends it meanwhile.
    later = at_ms + min(FIRST_AGAIN_MS * 2**row.tries, AGAIN_MS_MAX)
    mine = (Delivery.id == row.id) & (Delivery.tries == row.tries)
    if Delivery.update(tries=tries, next_ms=later).where(mine).execute() != 1:
        return False
    why = send(row.route.url, message(row.alert))
    told: dict[str, Any] = {"why": why[:80]}
    if not why:
        told |= {"sent_ms": at_ms, "next_ms": None}
    elif at_ms - row.made_ms >= GIVE_UP_MS:
        told |= {"gave_up_ms": at_ms, "next_ms": None}
    Delivery.update(**told).where(Delivery.id == row.id).execute()
    if not why and row.route.after_s:
        Alert.update(escalated_ms=at_ms).where((Alert.id == row.alert_id) & Alert.escalated_ms.is_null()).execute()
    return not why


def message(alert: Alert) -> bytes:
    """JSON: what the gateway turns into words for people."""
    told = {
        "alert": alert.id,
        "rule": alert.rule,
        "severity": alert.severity,
        "city": alert.tenant_id,
        "place": alert.place_id,
        "subject": alert.subject,
        "since": datetime.fromtimestamp(alert.began_ms / 1000, UTC).isoformat(),
        "page": f"/console/{alert.tenant_id}/calls#alert{alert.id}",
    }
    return json.dumps(told, ensure_ascii=False).encode()


def by_https(url: str, body: bytes, context: ssl.SSLContext | None = None) -> str:
    """Implements ``Send``: one POST, no redirects. ``context`` None: the machine's own authorities judge."""
    try:
        parts = urlsplit(url)
        where, judges = (parts.hostname or "", parts.port or 443), context or ssl.create_default_context()
        with closing(http.client.HTTPSConnection(*where, timeout=ANSWER_S_MAX, context=judges)) as line:
            # Many gateways know their caller by a key in the query.
            asked = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            line.request("POST", asked, body, {"Content-Type": "application/json"})
            status = line.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: an address that cannot be one
        return type(error).__name__
    return "" if 200 <= status < 300 else f"status {status}"


def _goes(alert: Alert, route: Route, hour: int, at_ms: int) -> bool:
    below = alert.place.path.startswith(route.place.path)
    grave = route.severity == "warning" or alert.severity == "urgent"
    if alert.severity == "notice" and route.after_s:
        return False  # it has months: nobody is called because somebody has not taken it within the hour
    begin, end = route.from_hour, route.to_hour
    now = begin <= hour < end if begin <= end else hour >= begin or hour < end
    return bool(below and grave and now and at_ms - (alert.told_ms or 0) >= route.after_s * 1000)


def _is_quiet(alert: Alert, quiet: Iterable[Silence]) -> bool:
    return any(one.rule in ("", alert.rule) and alert.place.path.startswith(one.place.path) for one in quiet)


def _hour(tenant: str, at_ms: int) -> int:
    east = Tenant.get_by_id(tenant).settings.get("hours_east", HOURS_EAST)
    return (datetime.fromtimestamp(at_ms / 1000, UTC) + timedelta(hours=east)).hour
