"""The statements that keep what was gathered, in the words of both databases.

Written by hand: the object layer takes ten times as long for a thousand rows. A later report is never overwritten by an
earlier one, whichever process comes second; but what was heard by a clock that was set back since is no later one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import peewee

from provisioning.fleet.database import step, tuples
from provisioning.fleet.live.changes import Brief, changes
from provisioning.fleet.schema.base import proxy
from provisioning.fleet.schema.terminals import TerminalEvent, TerminalHealth

if TYPE_CHECKING:
    from provisioning.fleet.live.seen import Seen

CHUNK = 500
AHEAD_MS = 600_000  # no two processes' clocks differ by so much, and nothing is gathered for so long
COLUMNS: Mapping[str, str] = {
    "terminal_id": "int", "seen_ms": "bigint", "epoch": "int", "desired_version": "int", "desired_trouble": "text",
    "serving": "boolean", "unsent_count": "int", "unsent_fen": "bigint", "suspense_fen": "bigint", "version": "text",
    "report": "text",
}  # fmt: skip
OF_EVERY_POLL = ("terminal_id", "seen_ms", "epoch", "desired_version", "desired_trouble")
DEFAULTS = {"serving": "false", "version": "''"}  # of a terminal's first poll without a report
_brief = msgspec.json.Decoder(Brief)


def write(rows: Sequence["Seen"]) -> None:
    """All of them in one step. ``rows`` in the order of their terminals."""
    with step():
        for chunk in _chunks(rows):
            _note_changes(chunk)
            _upsert(tuple(COLUMNS), [_full(row) for row in chunk if row.report is not None])
            _upsert(OF_EVERY_POLL, [_full(row)[:5] for row in chunk if row.report is None])


def _full(row: "Seen") -> tuple[Any, ...]:
    report = row.report.decode() if row.report is not None else None
    heard = (row.terminal, row.at_ms, row.epoch, row.desired_version, row.desired_trouble)
    return (*heard, row.serving, *row.sums, row.version, report)


def _upsert(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    if not rows:
        return
    database: Any = proxy.obj
    missing = {} if len(columns) == len(COLUMNS) else DEFAULTS
    names = ", ".join([*columns, *missing])
    sets = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
    newer = f"excluded.seen_ms >= terminal_health.seen_ms OR terminal_health.seen_ms > excluded.seen_ms + {AHEAD_MS}"
    later = f"ON CONFLICT (terminal_id) DO UPDATE SET {sets} WHERE {newer}"
    if isinstance(database, peewee.SqliteDatabase):
        values = ", ".join(["?"] * len(columns) + list(missing.values()))
        connection: Any = database.connection()  # type: ignore[no-untyped-call] # the stubs leave it out
        cursor = connection.cursor()
        cursor.executemany(f"INSERT INTO terminal_health ({names}) VALUES ({values}) {later}", rows)  # noqa: S608 - names of ours
    else:
        arrays = ", ".join(f"%s::{COLUMNS[name]}[]" for name in columns)
        told = ", ".join([*columns, *missing.values()])
        source = f"SELECT {told} FROM unnest({arrays}) AS told ({', '.join(columns)})"  # noqa: S608 - names of ours
        turned = [list(column) for column in zip(*rows, strict=True)]
        database.execute_sql(f"INSERT INTO terminal_health ({names}) {source} {later}", turned)


def _note_changes(rows: Sequence["Seen"]) -> None:
    before = {told[0]: told[1:] for told in _before([row.terminal for row in rows])}
    events = [
        {"tenant": row.city, "terminal": row.terminal, "at_ms": row.at_ms, "what": what, "facts": facts}
        for row in rows
        for what, facts in _changes(row, before.get(row.terminal))
    ]
    if events:
        TerminalEvent.insert_many(events).execute()


def _changes(row: "Seen", before: tuple[Any, ...] | None) -> Iterator[tuple[str, dict[str, Any]]]:
    version, trouble, report = before or (0, "", None)
    if before is not None and (version, trouble) != (row.desired_version, row.desired_trouble):
        told = {"was": version, "is": row.desired_version, "trouble": row.desired_trouble}
        yield "settings", {**told, **({"changed": [*row.changed]} if row.changed else {})}
    if row.report is not None:
        yield from changes(_brief.decode(report) if report else None, _brief.decode(row.report))


def _before(keys: Iterable[int]) -> Iterator[tuple[Any, ...]]:
    """``report`` as text: only the part that is compared is read."""
    columns = (TerminalHealth.desired_version, TerminalHealth.desired_trouble)
    report = TerminalHealth.report.cast("text")
    asked = TerminalHealth.select(TerminalHealth.terminal, *columns, report)
    yield from tuples(asked.where(TerminalHealth.terminal.in_(list(keys))))


def _chunks(rows: Sequence["Seen"]) -> Iterator[Sequence["Seen"]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]
