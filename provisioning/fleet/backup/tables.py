"""Every table as lines of JSON, from one moment; and back into an empty database of either kind."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import peewee

from provisioning.fleet.schema import TABLES
from provisioning.fleet.schema.base import Row, proxy

INSERT_ROWS = 200
PART_ROWS, PART_BYTES = 50_000, 32 << 20


class NotEmpty(Exception):
    """There is a fleet in this database already; a restore never mixes two."""


@contextmanager
def one_moment() -> Iterator[None]:
    """All that is read inside is of one moment, while others go on writing."""
    database = proxy.obj
    with database.connection_context(), database.atomic():
        if not isinstance(database, peewee.SqliteDatabase):
            database.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def tables() -> list[type[Row]]:
    """What others point to comes first."""
    ordered: list[type[Row]] = peewee.sort_models(TABLES)  # type: ignore[attr-defined]  # its stubs forget it
    return ordered


def parts_of(table: type[Row]) -> Iterator[bytes]:
    """Lines: the names of its columns, then a row each; in parts of a bounded size, at least one."""
    fields = table._meta.sorted_fields
    names = _line([field.name for field in fields])
    lines, length = [names], 0
    for row in table.select(*fields).tuples().iterator():
        line = _line(list(row))
        if len(lines) > PART_ROWS or length + len(line) > PART_BYTES:
            yield b"".join(lines)
            lines, length = [names], 0
        lines.append(line)
        length += len(line)
    yield b"".join(lines)


def refuse_a_fleet() -> None:
    """Raises NotEmpty."""
    full = [table._meta.table_name for table in tables() if table.select().exists()]
    if full:
        raise NotEmpty(f"not an empty database: {', '.join(full[:3])}")


def fill(table: type[Row], lines: Iterable[bytes]) -> int:
    """How many rows. Columns that this version does not know are left out, new ones get their default.

    Raises:
        ValueError: not such lines.
    """
    told = iter(lines)
    names = json.loads(next(told))
    known = [name if name in table._meta.fields else None for name in names]
    self_made = [field.name for field in table._meta.sorted_fields if getattr(field, "rel_model", None) is table]
    parents: list[tuple[Any, dict[str, Any]]] = []
    count, waiting = 0, []
    for line in told:
        row = {name: value for name, value in zip(known, json.loads(line), strict=True) if name is not None}
        later = {name: row.pop(name) for name in self_made if row.get(name) is not None}
        if later:
            parents.append((row["id"], later))
        waiting.append(row)
        if len(waiting) == INSERT_ROWS:
            table.insert_many(waiting).execute()
            count, waiting = count + len(waiting), []
    if waiting:
        table.insert_many(waiting).execute()
    for key, later in parents:  # a row may point to one that came after it
        table.update(**later).where(table.id == key).execute()
    _count_on(table)
    return count + len(waiting)


def _count_on(table: type[Row]) -> None:
    """The next row that PostgreSQL numbers itself must not get a number that came with the backup."""
    if isinstance(proxy.obj, peewee.SqliteDatabase) or not isinstance(table._meta.primary_key, peewee.AutoField):
        return
    name, key = table._meta.table_name, table._meta.primary_key.column_name
    newest = table.select(peewee.fn.MAX(table._meta.primary_key)).scalar()
    if newest is not None:
        proxy.obj.execute_sql("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", (f'"{name}"', key, newest))


def _line(values: list[Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
