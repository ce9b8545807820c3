"""Which database the fleet is on. ``sqlite:///fleet.db`` for one process, ``postgresql://...`` for as many as wanted.

peewee keeps one connection a thread; routes that touch the database are plain functions, which Starlette runs in its
threads. A step that must stand as a whole is written inside ``step()``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import peewee
from playhouse.apsw_ext import APSWDatabase
from playhouse.db_url import connect, register_database
from playhouse.postgres_ext import Psycopg3Database

from provisioning.fleet.schema import TABLES
from provisioning.fleet.schema.base import proxy

SQLITE = "sqlite:///"
BUSY_S = 10.0
LOST = (peewee.OperationalError, peewee.InterfaceError)


def open_database(url: str) -> peewee.Database:
    """Choose the database and make what tables are missing.

    Raises:
        peewee.OperationalError, OSError: it cannot be reached or made.
    """
    database = _sqlite(Path(url.removeprefix(SQLITE))) if url.startswith(SQLITE) else _postgresql(url)
    proxy.initialize(database)
    with database.connection_context(), database.atomic():
        database.create_tables(TABLES, safe=True)
    return database


def _sqlite(path: Path) -> peewee.Database:
    """By apsw: the standard library's SQLite is Debian's, which has the WAL reset bug (money-rules 24)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pragmas = {"journal_mode": "wal", "synchronous": "full", "foreign_keys": 1}
    database: peewee.Database = APSWDatabase(str(path), pragmas=pragmas, timeout=BUSY_S)
    return database


class _Postgresql(Psycopg3Database):  # type: ignore[misc] # the library has no types
    """A server that was restarted leaves broken connections behind: each is given up at its first failure, so that the
    thread's next question finds a new one."""

    def execute_sql(self, *words: Any, **more: Any) -> Any:
        try:
            return super().execute_sql(*words, **more)
        except LOST:
            if not self.in_transaction():
                self.close()
            raise


register_database(_Postgresql, "fleet")


def _postgresql(url: str) -> peewee.Database:
    database: peewee.Database = connect(url.replace("postgresql://", "fleet://", 1))
    return database


def cause_of(error: Exception) -> str:
    """The database's own name of what went wrong: none of its words, which may hold values. "" where it told none."""
    told: Any = error
    while isinstance(told, peewee.PeeweeException):
        told = told.__context__
    if isinstance(told, apsw.Error):
        known = apsw.mapping_result_codes | apsw.mapping_extended_result_codes
        return str(known.get(getattr(told, "extendedresult", 0), type(told).__name__))
    return str(getattr(told, "sqlstate", None) or "")


def tuples(query: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of a question as bare tuples: for thousands of them."""
    yield from query.tuples().iterator()


@contextmanager
def step() -> Iterator[None]:
    """One transaction; on SQLite it takes the file's only place for writers at once, so that it never has to turn back
    halfway."""
    database = proxy.obj
    database.connect(reuse_if_open=True)  # it stays with its thread: PostgreSQL makes a process for each new one
    try:
        with database.atomic("IMMEDIATE") if isinstance(database, peewee.SqliteDatabase) else database.atomic():
            yield
    except LOST:
        if isinstance(database, _Postgresql) and not database.in_transaction():
            database.close()
        raise
