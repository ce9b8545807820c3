"""The journal: append an entry, durable on return, chained by hash to everything before it.

Everything that belongs to one act rides in one commit: the entry with its postings, an effect opened or closed, notices
owed. No method awaits, so nothing comes between.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa

from kiosk.basics.chain import head_signed_by
from kiosk.domain.books import Account, Unbalanced
from kiosk.domain.entries import AlreadyClosed, Facts, JournalBusy, NewEntry, NewNotice, StoredEntry
from kiosk.domain.money import Fen
from offline_queue.append import Appender, newest
from offline_queue.file_modes import make_file
from offline_queue.head import SignedHead, signed_head, unproved_row
from offline_queue.layout import ROWS_OF, Sql
from offline_queue.outbox import COMMIT_ROWS_MAX, SqliteOutbox
from offline_queue.periods import Periods
from offline_queue.postings import read_postings
from offline_queue.reset import insist_on_what_began
from offline_queue.retention import Retention
from offline_queue.row_code import ROW_OF_CODE, row_code
from offline_queue.schema import BUSY_S_MAX, JournalUnusable, open_database, statements
from offline_queue.sealing import Root

ROOM_BYTES_MIN = 64 << 20
_NO_ROW = 1 << 62  # above all
OLDER_ROWS_MAX = 1000  # in a row, before a walk back in time ends

# Statements as they are, because those who drive the unknown ask all day: an ORM took a millisecond for each.
_ROW = "entry.seq, entry.at, entry.act, entry.case_code, entry.period, entry.postings, entry.sealed"
_OPEN = f"select {_ROW} from effect join entry using (seq) order by entry.seq"  # noqa: S608 - constants
_UNSPENT = f"select inside_fen, {_ROW} from purse join entry using (seq) order by entry.seq"  # noqa: S608 - constants
_ALL = f"select {_ROW} from entry order by seq"  # noqa: S608 - constants
_ONE = f"select {_ROW} from entry where seq = ?"  # noqa: S608 - constants
_LAST_OF = """
    select seq from entry where seq > ? and act in (select value from json_each(?)) order by seq desc limit 1
"""
_NEWEST_OF = f"select {_ROW} from entry where act = ? and seq >= ? and seq < ? order by seq desc limit ?"  # noqa: S608 - constants
_OF_CASE = ROWS_OF.replace("entry.*", _ROW) + " and case_code = ? order by seq"
_OF_CARD = ROWS_OF.replace("entry.*", _ROW) + " and card_index = ? order by seq"
_MOVE_PURSE = """
    insert into purse(case_code, seq, inside_fen) values (?, ?, ?)
    on conflict(case_code) do update set seq = excluded.seq, inside_fen = inside_fen + excluded.inside_fen
    returning inside_fen
"""
_facts_of: Callable[[bytes], dict[str, str | int]] = msgspec.json.Decoder().decode


class SqliteJournal:
    """Implements ``ports.Journal`` on ``journal.db`` in the terminal's data directory.

    ``busy_s_max``: how long a call that writes waits, and everything in this process with it, while the other process
    holds the file; then it raises JournalBusy.

    Raises at construction:
        JournalUnusable, JournalBusy, OSError, ValueError: the kiosk must not start.
    """

    def __init__(
        self,
        data_dir: Path,
        now: Callable[[], datetime],
        recovery: rsa.RSAPublicKey | None = None,
        vfs: str = "",
        free_bytes: Callable[[], int] | None = None,
        busy_s_max: float = BUSY_S_MAX,
    ) -> None:
        self._free_bytes = free_bytes or (lambda: shutil.disk_usage(data_dir).free)
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not vfs:
            make_file(data_dir / "journal.db")
        self.database = open_database(data_dir / "journal.db", vfs, busy_s_max)
        self._sql = statements(self.database.connection())
        self._root = Root.at(data_dir / "journal.key")
        self._periods = Periods(self._sql, self._root, recovery)
        self._appender = Appender(self._root, self._periods, now)
        self.outbox = SqliteOutbox(self.database.connection(), self._sql, self._periods, self._appender, self._commit)
        self.retention = Retention(self.database.connection(), self._periods, self._appender, self._commit)
        self._newest_of: dict[tuple[str, ...], tuple[int, int]] = {}  # acts -> looked up to this row, found in that one
        self._open_at: tuple[int, list[StoredEntry]] = (-1, [])  # looked up when this row was the last
        self._of_card: tuple[int, str, list[StoredEntry]] | None = None  # since the last commit; see ``of_card``
        self._high_water: tuple[int, datetime | None] = (0, None)  # looked up to this row
        self._data_dir = data_dir
        try:
            self._insist_on_our_own_rows()
            insist_on_what_began(data_dir, newest(self._sql)[0])
            self._wrap_older()
            self.signed_head()
        except BaseException:
            self.database.close()
            raise

    def close(self) -> None:
        """Also where the disk is full, or the other process holds the file: then the newest rows stay unsigned, and
        their proofs vouch for them."""
        try:
            with suppress(JournalBusy):
                insist_on_what_began(self._data_dir, self.signed_head().seq)
        finally:
            self.database.close()

    # Writing. Raw statements: a commit costs one disk flush and little more, which no ORM's inserts would.

    def commit(self, entry: NewEntry) -> int:
        """Append one act with all that rides with it; its ``seq``.

        Raises:
            Unbalanced: the postings do not sum to zero. apsw.ConstraintError: the key of an effect or notice was used
            before. AlreadyClosed: the effect is not open, its outcome is booked once; or ``only_if`` says no.
            JournalBusy: the other process holds the file. Nothing is written then.
        """
        return self.commit_together((entry,))

    def commit_together(self, entries: Sequence[NewEntry]) -> int:
        """As ``commit``, for up to fifty acts in order: all of them or none, and one flush. The last one's ``seq``."""
        assert 0 < len(entries) <= COMMIT_ROWS_MAX
        for entry in entries:
            if sum([posting.amount_fen for posting in entry.postings]):
                raise Unbalanced(entry.act)
        with self._commit() as sql:
            for entry in entries:
                if entry.only_if is not None and not entry.only_if():
                    raise AlreadyClosed(entry.act)
            last = self._appender.append(sql, *entries)
            for seq, entry in enumerate(entries, last - len(entries) + 1):
                self._book_effects(sql, seq, entry)
        return last

    def _book_effects(self, sql: Sql, seq: int, entry: NewEntry) -> None:
        if entry.opens:
            sql("insert into effect(key, seq) values (?, ?)", (entry.opens, seq))
        for key in filter(None, (entry.closes, *entry.closes_too)):
            if not list(sql("delete from effect where key = ? returning key", (key,))):
                raise AlreadyClosed(key)
        self._move_purse(sql, seq, entry)

    def record(self, act: str, case_code: str = "", /, **facts: str | int) -> int:
        return self.commit(NewEntry(act, case_code, facts))

    def owe_notice(self, host: str, act: str, key: str, case_code: str = "", /, **facts: str | int) -> None:
        card_number = str(facts.get("card_number", ""))
        notice = NewNotice(host, act, key, facts, card_number=card_number)
        told: Facts = {"host": host, "what": act, "key": key}
        self.commit(NewEntry("notice_owed", case_code, told, notices=(notice,)))

    def signed_head(self) -> SignedHead:
        """What is anchored outside (money-rules 26): the newest row, signed now if it was not yet."""
        with self._commit() as sql:
            seq, link = newest(sql)
            if signed_head(self.database.connection()).seq != seq:
                self._appender.sign(sql, seq, link)
        return signed_head(self.database.connection())

    def _wrap_older(self) -> None:
        while self._periods.not_wrapped():
            with self._commit() as sql:
                self._appender.wrap_older(sql, COMMIT_ROWS_MAX)

    def _insist_on_our_own_rows(self) -> None:
        """Before they are signed: a row that somebody else added must not become ours."""
        connection = self.database.connection()
        head = signed_head(connection)
        if head.seq and not head_signed_by(self._root.signing.public_key(), head.seq, head.link, head.signature):
            raise JournalUnusable(f"row {head.seq} was not signed by the key that is here")
        stranger = unproved_row(connection, self._root, head)
        if stranger is not None:
            raise JournalUnusable(f"row {stranger} was not written by this terminal")

    @contextmanager
    def _commit(self) -> Iterator[Sql]:
        """One transaction; no ``await`` can stand inside, so two tasks never share one."""
        connection = self.database.connection()
        self._of_card = None
        self._sql("begin immediate")
        try:
            yield self._sql
            self._sql("commit")
        except BaseException:
            self._appender.undone()
            self._open_at = -1, []
            if connection.in_transaction:  # a commit that failed on the disk may have ended it
                connection.execute("rollback")
            raise

    def _move_purse(self, sql: Sql, seq: int, entry: NewEntry) -> None:
        moved = -sum([posting.amount_fen for posting in entry.postings if posting.account is Account.RESIDENT])
        if moved:
            ((inside_fen,),) = sql(_MOVE_PURSE, (entry.case_code, seq, moved))
            if not inside_fen:
                sql("delete from purse where case_code = ?", (entry.case_code,))

    # Reading.

    def has_room(self) -> bool:
        """A settlement with every mishap writes less than a megabyte; the rest is for what else fills a disk."""
        return self._free_bytes() >= ROOM_BYTES_MIN

    def high_water(self) -> datetime | None:
        """The latest moment that any entry stands for: a clock set back does not take it back. None: no entry yet."""
        end, _ = newest(self._sql)
        looked_to, latest = self._high_water
        if end > looked_to:
            # By zone, because only times of one zone are in the order of their letters. The first look takes them all.
            newer = "select max(at) from entry where seq > ? group by substr(at, -6)"
            times = [datetime.fromisoformat(at) for (at,) in self._sql(newer, (looked_to,))]
            latest = max([*times, latest] if latest else times)
            self._high_water = end, latest
        return latest

    def unsent(self) -> tuple[int, Fen]:
        """What no host knows yet: how many messages, and the money that they are about."""
        totals = next(iter(self._sql("select unsent_count, unsent_sum_fen from outbox_totals")))
        return int(totals[0]), Fen(totals[1])

    def open_effects(self) -> list[StoredEntry]:
        """Intents without an outcome, oldest first: UNKNOWN, each to be driven or made a case."""
        sql = self._sql
        end, _ = newest(sql)  # before the look: the other process may write meanwhile
        if self._open_at[0] != end:  # nothing opens or closes without a row
            self._open_at = end, [self._read(row) for row in sql(_OPEN)]
        return list(self._open_at[1])

    def unspent(self) -> list[tuple[StoredEntry, Fen]]:
        """Visits that ended, by a power cut, with a resident's money inside: newest entry of each, and how much."""
        rows = self._sql(_UNSPENT)
        return [(self._read(row), Fen(inside_fen)) for inside_fen, *row in rows]

    def last(self, *acts: str) -> StoredEntry | None:
        """The newest entry of any of these acts. Only the first question walks the file; what was seen stays seen."""
        looked_to, found = self._newest_of.get(acts, (0, 0))
        sql = self._sql
        end, _ = newest(sql)  # before the look: the other process may write meanwhile
        if end != looked_to:
            ((found,),) = list(sql(_LAST_OF, (looked_to, json.dumps(acts)))) or [(found,)]
            self._newest_of[acts] = (max(found, end), found)
        return self._read(next(sql(_ONE, (found,)))) if found else None

    def newest(self, count: int, act: str, before: int | None = None, since: int = 0) -> list[StoredEntry]:
        """Newest first. Walks the file back where there are fewer: for who asks seldom."""
        return [self._read(row) for row in self._sql(_NEWEST_OF, (act, since, before or _NO_ROW, count))]

    def moments(self, since: int) -> list[str]:
        return [at for (at,) in self._sql("select at from entry where seq >= ? order by seq", (since,))]

    def since(self, moment: datetime, *acts: str) -> list[StoredEntry]:
        """Entries of these acts from ``moment`` on, in order. Walks back from the end and stops where enough rows in a
        row are older: a clock that stood wrong for a while hides nothing behind it."""
        found, older = [], 0
        for seq, at, act in self._sql("select seq, at, act from entry order by seq desc"):
            if datetime.fromisoformat(at) >= moment:
                older = 0
                if act in acts:
                    found.append(seq)
            else:
                older += 1
                if older > OLDER_ROWS_MAX:
                    break
        sql = self._sql
        return [self._read(next(sql(_ONE, (seq,)))) for seq in reversed(found)]

    def story(self, case_code: str) -> list[StoredEntry]:
        """Everything about one case, in order."""
        return [self._read(row) for row in self._sql(_OF_CASE, (case_code, case_code))]

    def of_card(self, card_number: str) -> list[StoredEntry]:
        """Every entry of one card, in order. Each tile of a menu asks, so what was read is kept until the next commit:
        never beyond the visit, whose end is one."""
        sql = self._sql
        end, _ = newest(sql)  # before the look: the other process may write meanwhile
        if self._of_card is None or self._of_card[:2] != (end, card_number):
            index = self._root.card_index(card_number)
            self._of_card = end, card_number, [self._read(row) for row in sql(_OF_CARD, (index, index))]
        return list(self._of_card[2])

    def entries(self) -> list[StoredEntry]:
        return [self._read(row) for row in self._sql(_ALL)]

    def row_code(self, terminal_id: str, seq: int) -> str:
        """The row as the content of a QR code: signed, and its facts for the agency alone (money-rules 25)."""
        row, facts = next(iter(self._sql(ROW_OF_CODE, (seq,)))), self._read(next(iter(self._sql(_ONE, (seq,))))).facts
        return row_code(terminal_id, row, facts, self._root, self._periods.recovery)

    def case_code_known(self, code: str) -> bool:
        return bool(list(self._sql("select 1 from found where word = ? limit 1", (code,))))

    def _read(self, row: Sequence[Any]) -> StoredEntry:
        seq, at, act, case_code, period, postings, sealed = row
        clear = self._periods.opened(period, sealed, str(seq))
        facts = _facts_of(clear) if clear is not None else None
        return StoredEntry(seq, at, act, case_code, facts, read_postings(postings))
