"""Histories and ended alerts go by their age, a part at a time; what is open, and what somebody decided, stays."""

import peewee
import pytest

from provisioning.fleet import thinning
from provisioning.fleet.chores import Chores
from provisioning.fleet.schema.alerts import Alert, Delivery, Route
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.terminals import Terminal, TerminalEvent
from provisioning.fleet.thinning import ALERTS_MS, DAY_MS, DELIVERIES_MS, EVENTS_MS, ROWS_MAX, thin
from tests.fleet.conftest import CITY
from tests.fleet.terminals import add_terminal

NOW_MS = 1_900_000_000_000


@pytest.fixture
def terminal(database: peewee.Database) -> Terminal:
    return add_terminal("T0000001", CITY)


def event(terminal: Terminal, age_ms: int) -> None:
    TerminalEvent.create(tenant=CITY, terminal=terminal, at_ms=NOW_MS - age_ms, what="boot")


def alert(terminal: Terminal, ended_ms: int | None, subject: str) -> Alert:
    told = {"rule": "device", "subject": subject, "place": terminal.place, "terminal": terminal}
    made: Alert = Alert.create(tenant=CITY, **told, began_ms=0, told_ms=1, ended_ms=ended_ms)
    return made


def message(about: Alert) -> int:
    """Its number; sent long ago."""
    to = Route.create(tenant=CITY, place=about.place, url="https://example.org/", name="duty")
    return int(Delivery.create(tenant=CITY, alert=about, route=to, made_ms=1, sent_ms=2).id)


def test_history_goes_by_its_age(terminal: Terminal) -> None:
    """What is a day too old goes, what is a day younger stays, and nothing of the audit trail."""
    event(terminal, EVENTS_MS + DAY_MS)
    event(terminal, EVENTS_MS - DAY_MS)
    trail = AuditRow.select().count()
    assert thin(NOW_MS) == 1 and thin(NOW_MS) == 0
    assert TerminalEvent.get().at_ms == NOW_MS - EVENTS_MS + DAY_MS
    assert AuditRow.select().count() == trail


def test_open_alerts_and_their_messages_stay(terminal: Terminal) -> None:
    """However old: a message that is forgotten would be told once more. Of an ended one the messages go first."""
    old, resting = NOW_MS - ALERTS_MS - DAY_MS, NOW_MS - DELIVERIES_MS - DAY_MS
    alerts = [alert(terminal, ended, name) for ended, name in ((None, "open"), (old, "old"), (resting, "resting"))]
    kept, *_ = [message(one) for one in alerts]
    thin(NOW_MS)
    assert {one.subject for one in Alert.select()} == {"open", "resting"}
    assert [one.id for one in Delivery.select()] == [kept]


def test_a_large_backlog_goes_in_parts(terminal: Terminal) -> None:
    """Nobody waits behind it: each look takes a bounded part, by the fleet's own chore."""
    rows = [{"tenant": CITY, "terminal": terminal.id, "at_ms": 1, "what": "boot", "facts": {}}] * (ROWS_MAX + 5)
    for first in range(0, len(rows), 500):
        TerminalEvent.insert_many(rows[first : first + 500]).execute()
    chores = Chores(lambda: NOW_MS)
    (chore,) = [one for one in chores.all() if one.do is thinning.thin]
    assert chores.do_once(chore) and TerminalEvent.select().count() == 5
    assert chores.do_once(chore) and TerminalEvent.select().count() == 0
