"""Tables of the one SQLite file. Entries are only ever added; the few small tables beside them hold what is open.

SQLite comes with apsw, so that its version is known; the standard library's never opens this file.
"""

from pathlib import Path
from typing import Any

import apsw
import peewee
from playhouse.apsw_ext import APSWDatabase

from kiosk.domain.entries import JournalBusy
from offline_queue.layout import Sql, bring_up_to_date, make_views
from offline_queue.wal import tend_wal

# Before this version a WAL reset bug could lose a commit (money-rules 24).
SQLITE_VERSION_MIN = (3, 51, 3)
# A commit touches two or three pages; half of SQLite's default is quickest, smaller ones are slower again (measured).
PAGE_BYTES = 2048
BUSY_S_MAX = 2.0  # the other writer holds the file for one small commit at a time
OPENING_S_MAX = 20  # after a power cut both open at once; one of them reads a long log, or updates an older file


class JournalUnusable(Exception):
    """The journal cannot be opened safely; the kiosk must not start without it. The message is for staff."""


database_proxy = peewee.DatabaseProxy()


class _Row(peewee.Model):
    class Meta:
        database = database_proxy


class Entry(_Row):
    """One act. Clear: what, when, which case, how money moved between named accounts. Sealed: everything else.

    ``card_index`` is a keyed HMAC of the card number in hex, or "". ``link`` chains the row to all rows before it;
    ``proof`` is the terminal's keyed MAC of the link, which stands for a signature until the next one is made.
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
    proof = peewee.BlobField(constraints=[peewee.SQL("default x''")])


class Found(_Row):
    """Where to look for a case or a card: blocks of ``BLOCK_ROWS`` entries that hold one of its.

    An index over the entries would put one more page or two into nearly every commit; this puts one into the first of a
    case, and finding reads a few hundred rows more.
    """

    word = peewee.TextField()  # a case code, or a card index
    block = peewee.IntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("word", "block")
        without_rowid = True


class Period(_Row):
    """A sealing key, twice: for this terminal, and for the agency's two custodians. Destroyed = both are empty."""

    period = peewee.TextField(primary_key=True)
    for_terminal = peewee.BlobField()
    for_agency = peewee.BlobField()


class SignedHead(_Row):
    """One row: the newest head that was signed. The rows after it, a few at most, have their proofs."""

    id = peewee.IntegerField(primary_key=True)
    seq = peewee.IntegerField()
    link = peewee.BlobField()
    signature = peewee.BlobField()

    class Meta:
        table_name = "signed_head"


class Effect(_Row):
    """An intent whose outcome is not committed yet. What a restart finds here is UNKNOWN."""

    key = peewee.TextField(primary_key=True)
    seq = peewee.IntegerField()

    class Meta:
        without_rowid = True


class Purse(_Row):
    """What a visit's resident has inside and neither spent nor got back, by case; no row means nothing."""

    case_code = peewee.TextField(primary_key=True)
    seq = peewee.IntegerField()  # newest entry that moved it
    inside_fen = peewee.IntegerField()

    class Meta:
        without_rowid = True


# By host, so that a dark host's backlog is not walked for another one. Each holds what its question asks for.
INDEXES = {
    "notice_turn": "notice(host, seq, amount_fen) where state = 'owed'",
    "notice_aside": "notice(host, card_index, seq, amount_fen) where state = 'quarantined'",
    "notice_answered": "notice(host, seq) where state = 'answered'",
}


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
    # owed | answered (told, and not in the chain yet) | told | quarantined | given_up; of older files also refused
    state = peewee.TextField(default="owed")
    refusals = peewee.IntegerField(constraints=[peewee.SQL("default 0")])
    reason = peewee.TextField(constraints=[peewee.SQL("default ''")])  # the host's last code

    class Meta:
        without_rowid = True
        indexes = tuple(peewee.SQL(f"create index if not exists {name} on {what}") for name, what in INDEXES.items())


TABLES = (Entry, Found, Period, SignedHead, Effect, Purse, Notice)
_NOTHING_SIGNED = "insert or ignore into signed_head(id, seq, link, signature) values (1, 0, zeroblob(32), x'')"
_MADE = {model._meta.table_name for model in TABLES} | INDEXES.keys()


def keep_plans(connection: apsw.Connection) -> None:
    """One plan for a statement, whatever is bound to it: beside a partial index SQLite would otherwise parse it anew
    at each call, which takes longer than to answer it."""
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)


def open_database(path: Path, vfs: str = "", busy_s_max: float = BUSY_S_MAX) -> APSWDatabase:
    """Open, prove the settings by reading them back, bring an older file up to date. ``vfs``: another file system.

    ``busy_s_max``: how long a commit waits for the other process's.

    Raises:
        JournalUnusable: SQLite too old, the file is no journal, or the disk refuses.
    """
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if version < SQLITE_VERSION_MIN:
        raise JournalUnusable(f"SQLite {apsw.sqlite_lib_version()} is older than 3.51.3")
    pragmas = {"page_size": PAGE_BYTES, "journal_mode": "wal", "synchronous": "full"}
    options = {"vfs": vfs} if vfs else {}
    database = APSWDatabase(str(path), pragmas=pragmas, timeout=OPENING_S_MAX, autoconnect=False, **options)
    try:
        database.connect()
        mode = database.execute_sql("pragma journal_mode").fetchone()[0]
        synchronous = database.execute_sql("pragma synchronous").fetchone()[0]
        if (mode, synchronous) != ("wal", 2):
            raise JournalUnusable(f"{path}: journal mode {mode}, synchronous {synchronous}")
        connection = database.connection()
        keep_plans(connection)
        bring_up_to_date(connection.execute)
        database_proxy.initialize(database)
        if not {name for (name,) in connection.execute("select name from sqlite_master")} >= _MADE:
            database.create_tables(TABLES)
        make_views(connection.execute)
        connection.execute(_NOTHING_SIGNED)
        tend_wal(connection)
        connection.set_busy_timeout(int(busy_s_max * 1000))
    except (peewee.DatabaseError, apsw.Error) as error:
        database.close()
        raise JournalUnusable(f"{path}: {error}") from error
    return database


def statements(connection: apsw.Connection) -> Sql:
    """Its statements, which raise JournalBusy where the other process is in the way for too long: it writes; or it died
    while it did, and a third one reads a long log. Then readers wait, too."""
    execute = connection.execute

    def sql(*statement: Any) -> Any:
        try:
            return execute(*statement)
        except apsw.BusyError as busy:
            raise JournalBusy from busy

    return sql
