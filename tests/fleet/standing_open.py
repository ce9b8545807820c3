"""Finds whoever writes while a question of the same connection still stands open.

SQLite refuses such a write at once, however long it may wait, as soon as anybody else wrote meanwhile: on a quiet
machine nobody ever sees it, on a busy one a person's act or a chore fails.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import apsw

OURS = "/provisioning/"


@contextmanager
def watched_connections() -> Iterator[list[str]]:
    """Of every SQLite connection that is opened meanwhile in this process: where such a write was asked for."""
    found: list[str] = []

    def look(cursor: apsw.Cursor | apsw.Connection, sql: str, bindings: object) -> bool:
        if isinstance(cursor, apsw.Connection):  # of a "with connection": a savepoint, which writes nothing yet
            return True
        connection: Any = cursor.connection
        writes = not cursor.is_readonly or sql.upper().startswith("BEGIN")
        if writes and connection.get_autocommit() and connection.txn_state("main") != apsw.SQLITE_TXN_NONE:
            where = [f"{one.filename}:{one.lineno}" for one in traceback.extract_stack() if OURS in one.filename]
            found.append(f"{sql[:80]} by {' '.join(where[-4:])}")
        return True

    def watch(connection: apsw.Connection) -> None:
        connection.exec_trace = look

    apsw.connection_hooks.append(watch)
    try:
        yield found
    finally:
        apsw.connection_hooks.remove(watch)
