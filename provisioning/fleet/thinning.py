"""What is told for a while only: histories of terminals, alerts that ended and messages about them, by their age.

The audit trail, the ledger and everything that somebody decided stay for ever. Half a year is the least that logs must
be kept (Cybersecurity Law of 2017, article 21).
"""

import peewee

from provisioning.fleet.database import step
from provisioning.fleet.schema.alerts import Alert, Delivery
from provisioning.fleet.schema.terminals import TerminalEvent

DAY_MS = 86_400_000
EVENTS_MS, ALERTS_MS, DELIVERIES_MS = 400 * DAY_MS, 400 * DAY_MS, 200 * DAY_MS
ROWS_MAX = 2000  # of one table at one look: nobody waits behind it, and the next look goes on


def thin(at_ms: int) -> int:
    """How many rows went. What is open stays, however old."""
    with step():
        oldest = TerminalEvent.select(TerminalEvent.id, TerminalEvent.at_ms).order_by(TerminalEvent.id).limit(ROWS_MAX)
        events = [row.id for row in oldest if row.at_ms < at_ms - EVENTS_MS]  # by their order: no index on time alone
        # Not before its alert ended: a message of an open one that is forgotten would be told once more.
        over = Delivery.alert.in_(Alert.select(Alert.id).where(Alert.ended_ms < at_ms - DELIVERIES_MS))
        gone = TerminalEvent.delete().where(TerminalEvent.id.in_(events)).execute()
        gone += _drop(Delivery, over) + _drop(Alert, Alert.ended_ms < at_ms - ALERTS_MS)
        return int(gone)


def _drop(table: type[Alert | Delivery], where: peewee.Expression) -> int:
    ids = [row.id for row in table.select(table.id).where(where).order_by(table.id).limit(ROWS_MAX)]
    return int(table.delete().where(table.id.in_(ids)).execute())
