"""Tables of the one SQLite file: acts (append-only, hash-chained) and notices owed to hosts.

SQLite comes with apsw, so that its version is known; the standard library's never opens this file.
"""

from pathlib import Path

import apsw
import peewee
from playhouse.apsw_ext import APSWDatabase

# Before this version a WAL reset bug could lose a commit (money-rules 24).
SQLITE_VERSION_MIN = (3, 51, 3)

acts_db = peewee.DatabaseProxy()


class JournalUnusable(Exception):
    """The journal cannot be opened safely; the kiosk must not start without it. The message is for staff."""


class _Row(peewee.Model):
    class Meta:
        database = acts_db


class Act(_Row):
    """One act. ``facts`` is canonical JSON without personal data; ``link`` chains every row to all before it."""

    seq = peewee.AutoField()
    at = peewee.TextField()
    act = peewee.TextField(index=True)
    case_code = peewee.TextField(index=True)
    facts = peewee.TextField()
    link = peewee.BlobField()


class Notice(_Row):
    """A message that a host must still be told. ``sealed`` is AES-256-GCM: it may name a card."""

    seq = peewee.ForeignKeyField(Act, primary_key=True, column_name="seq")
    host = peewee.TextField()
    act = peewee.TextField()
    key = peewee.TextField(unique=True)
    sealed = peewee.BlobField()
    tries = peewee.IntegerField(default=0)
    state = peewee.TextField(default="owed", index=True)  # owed | told | refused


def open_database(path: Path) -> APSWDatabase:
    """Open, prove the settings by reading them back, create missing tables.

    Raises:
        JournalUnusable: SQLite too old, the file is no journal, or the disk refuses.
    """
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if version < SQLITE_VERSION_MIN:
        raise JournalUnusable(f"SQLite {apsw.sqlite_lib_version()} is older than 3.51.3")
    database = APSWDatabase(
        str(path),
        pragmas={"journal_mode": "wal", "synchronous": "full", "foreign_keys": 1},
        timeout=2,
        autoconnect=False,
    )
    try:
        database.connect()
        mode = database.execute_sql("pragma journal_mode").fetchone()[0]
        synchronous = database.execute_sql("pragma synchronous").fetchone()[0]
        if (mode, synchronous) != ("wal", 2):
            raise JournalUnusable(f"{path}: journal mode {mode}, synchronous {synchronous}")
        acts_db.initialize(database)
        database.create_tables([Act, Notice])
    except (peewee.DatabaseError, apsw.Error) as error:
        raise JournalUnusable(f"{path}: {error}") from error
    return database
