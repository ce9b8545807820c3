"""Tables of the one SQLite file. Entries are only ever added; the few small tables beside them are derived state.

SQLite comes with apsw, so that its version is known; the standard library's never opens this file.
"""

from pathlib import Path

import apsw
import peewee
from playhouse.apsw_ext import APSWDatabase

# Before this version a WAL reset bug could lose a commit (money-rules 24).
SQLITE_VERSION_MIN = (3, 51, 3)
# A commit touches five pages; halving SQLite's default made it a seventh faster (measured), smaller ones slower again.
PAGE_BYTES = 2048
BUSY_S_MAX = 2  # the other writer holds the file for one small commit at a time


class JournalUnusable(Exception):
    """The journal cannot be opened safely; the kiosk must not start without it. The message is for staff."""


database_proxy = peewee.DatabaseProxy()


class _Row(peewee.Model):
    class Meta:
        database = database_proxy


class Entry(_Row):
    """One act. Clear: what, when, which case, how money moved between named accounts. Sealed: everything else.

    ``card_index`` is a keyed HMAC of the card number in hex, or "". ``link`` chains the row to all rows before it.
    """

    seq = peewee.IntegerField(primary_key=True)
    at = peewee.TextField()
    act = peewee.TextField()
    case_code = peewee.TextField()
    card_index = peewee.TextField()
    period = peewee.TextField()
    postings = peewee.TextField()
    sealed = peewee.BlobField()
    link = peewee.BlobField()

    class Meta:
        # Partial: most entries belong to no case that anybody will ask for by number, or to no card.
        indexes = (
            peewee.SQL("create index if not exists entry_case on entry(case_code) where case_code != ''"),
            peewee.SQL("create index if not exists entry_card on entry(card_index) where card_index != ''"),
        )


class Period(_Row):
    """A sealing key, twice: for this terminal, and for the agency's two custodians. Destroyed = both are empty."""

    period = peewee.TextField(primary_key=True)
    for_terminal = peewee.BlobField()
    for_agency = peewee.BlobField()


class Head(_Row):
    """One row: the newest link, signed by the terminal. What is anchored outside (money-rules 26)."""

    id = peewee.IntegerField(primary_key=True)
    seq = peewee.IntegerField()
    link = peewee.BlobField()
    signature = peewee.BlobField()


class Effect(_Row):
    """An intent whose outcome is not committed yet. What a restart finds here is UNKNOWN."""

    key = peewee.TextField(primary_key=True)
    seq = peewee.IntegerField()


class Purse(_Row):
    """What a visit's resident has inside and neither spent nor got back, by case; no row means nothing."""

    case_code = peewee.TextField(primary_key=True)
    seq = peewee.IntegerField()  # newest entry that moved it
    inside_fen = peewee.IntegerField()


class Notice(_Row):
    """A message that a host must still be told. ``sealed`` may name a card; it is emptied once the host took it."""

    seq = peewee.IntegerField()
    host = peewee.TextField()
    act = peewee.TextField()
    key = peewee.TextField(primary_key=True)
    card_index = peewee.TextField()
    amount_fen = peewee.IntegerField(default=0)
    sealed = peewee.BlobField()
    tries = peewee.IntegerField(default=0)
    state = peewee.TextField(default="owed")  # owed | told | refused

    class Meta:
        indexes = (peewee.SQL("create index if not exists notice_owed on notice(seq) where state = 'owed'"),)


class OutboxTotals(_Row):
    """One row, readable without any key: what an update, a reset or a view of staff must know."""

    id = peewee.IntegerField(primary_key=True)
    unsent_count = peewee.IntegerField()
    unsent_sum_fen = peewee.IntegerField()
    oldest_at = peewee.TextField()
    open_effects = peewee.IntegerField()

    class Meta:
        table_name = "outbox_totals"


# Said beside the bound value, or SQLite cannot know that the partial index holds it and walks the whole file.
OF_A_CASE = peewee.SQL("case_code != ''")
OF_A_CARD = peewee.SQL("card_index != ''")

TABLES = (Entry, Period, Head, Effect, Purse, Notice, OutboxTotals)


def open_database(path: Path) -> APSWDatabase:
    """Open, prove the settings by reading them back, create missing tables.

    Raises:
        JournalUnusable: SQLite too old, the file is no journal, or the disk refuses.
    """
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if version < SQLITE_VERSION_MIN:
        raise JournalUnusable(f"SQLite {apsw.sqlite_lib_version()} is older than 3.51.3")
    pragmas = {"page_size": PAGE_BYTES, "journal_mode": "wal", "synchronous": "full"}
    database = APSWDatabase(str(path), pragmas=pragmas, timeout=BUSY_S_MAX, autoconnect=False)
    try:
        database.connect()
        mode = database.execute_sql("pragma journal_mode").fetchone()[0]
        synchronous = database.execute_sql("pragma synchronous").fetchone()[0]
        if (mode, synchronous) != ("wal", 2):
            raise JournalUnusable(f"{path}: journal mode {mode}, synchronous {synchronous}")
        database_proxy.initialize(database)
        database.create_tables(TABLES)
        _first_rows(database)
    except (peewee.DatabaseError, apsw.Error) as error:
        raise JournalUnusable(f"{path}: {error}") from error
    return database


def _first_rows(database: APSWDatabase) -> None:
    with database.atomic("IMMEDIATE"):
        Head.insert(id=1, seq=0, link=bytes(32), signature=b"").on_conflict_ignore().execute()
        OutboxTotals.insert(
            id=1, unsent_count=0, unsent_sum_fen=0, oldest_at="", open_effects=0
        ).on_conflict_ignore().execute()
