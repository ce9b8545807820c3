"""The journal: append an entry, durable on return, chained by hash to everything before it.

Everything that belongs to one act rides in one commit: the entry with its postings, an effect opened or closed, notices
owed, the signed head and the outbox totals. No method awaits, so nothing comes between.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from kiosk.domain.books import Account, Posting, balanced
from kiosk.domain.entries import Facts, NewEntry, NewNotice, OwedNotice, StoredEntry
from kiosk.domain.money import Fen
from offline_queue.chain import link_of, sign_head
from offline_queue.periods import Periods
from offline_queue.schema import OF_A_CARD, OF_A_CASE, Effect, Entry, Notice, OutboxTotals, Purse, open_database
from offline_queue.sealing import Root

Sql = Callable[..., Any]
OLDER_ROWS_MAX = 1000  # in a row, before a walk back in time ends

_INSERT_ENTRY = """
    insert into entry(seq, at, act, case_code, card_index, period, postings, sealed, link)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_MOVE_PURSE = """
    insert into purse(case_code, seq, inside_fen) values (?, ?, ?)
    on conflict(case_code) do update set seq = excluded.seq, inside_fen = inside_fen + excluded.inside_fen
"""
_UPDATE_TOTALS = """
    update outbox_totals set
        unsent_count = (select count(*) from notice where state = 'owed'),
        unsent_sum_fen = (select coalesce(sum(amount_fen), 0) from notice where state = 'owed'),
        oldest_at = coalesce((select at from entry where seq = (select min(seq) from notice where state = 'owed')), ''),
        open_effects = (select count(*) from effect)
"""


class SqliteJournal:
    """Implements ``ports.Journal`` on ``journal.db`` in the terminal's data directory.

    Raises at construction:
        JournalUnusable, OSError, ValueError: the kiosk must not start.
    """

    def __init__(self, data_dir: Path, now: Callable[[], datetime], recovery: rsa.RSAPublicKey | None = None) -> None:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.database = open_database(data_dir / "journal.db")
        self._root = Root.at(data_dir / "journal.key")
        self._periods = Periods(self._root, recovery)
        self._now = now

    def close(self) -> None:
        self.database.close()

    # Writing. Raw statements: a commit costs one disk flush and little more, which no ORM's inserts would.

    def commit(self, entry: NewEntry) -> int:
        """Append one act with all that rides with it; its ``seq``.

        Raises:
            Unbalanced: the postings do not sum to zero. apsw.ConstraintError: the key of an effect or notice was used
            before. Nothing is written then.
        """
        balanced(*((posting.account, posting.amount_fen) for posting in entry.postings))
        with self._commit() as sql:
            seq, at = self._append(sql, entry)
            if entry.opens:
                sql("insert into effect(key, seq) values (?, ?)", (entry.opens, seq))
            if entry.closes:
                sql("delete from effect where key = ?", (entry.closes,))
            self._move_purse(sql, seq, entry)
            for notice in entry.notices:
                self._owe(sql, seq, at[:7], entry.card_number, notice)
            if entry.opens or entry.closes or entry.notices:
                sql(_UPDATE_TOTALS)
        return seq

    def record(self, act: str, case_code: str = "", /, **facts: str | int) -> int:
        return self.commit(NewEntry(act, case_code, facts))

    def owe_notice(self, host: str, act: str, key: str, /, **facts: str | int) -> None:
        self.commit(NewEntry("notice_owed", notices=(NewNotice(host, act, key, facts),)))

    @contextmanager
    def _commit(self) -> Iterator[Sql]:
        """One transaction; no ``await`` can stand inside, so two tasks never share one."""
        connection = self.database.connection()
        connection.execute("begin immediate")
        try:
            yield connection.execute
        except BaseException:
            connection.execute("rollback")
            raise
        connection.execute("commit")

    def _append(self, sql: Sql, entry: NewEntry) -> tuple[int, str]:
        last, before = next(iter(sql("select seq, link from head where id = 1")))
        seq = last + 1
        at = self._now().isoformat(timespec="milliseconds")
        period = at[:7]
        card = self._root.card_index(entry.card_number) if entry.card_number else ""
        postings = _stored_postings(entry.postings)
        facts = {**entry.facts, "card_number": entry.card_number} if entry.card_number else entry.facts
        sealed = self._periods.sealer(period).seal(canonical(facts), str(seq))
        clear = (seq, at, entry.act, entry.case_code, card, period, postings)
        link = link_of(before, clear, sealed)
        sql(_INSERT_ENTRY, (*clear, sealed, link))
        signature = sign_head(self._root.signing, seq, link)
        sql("update head set seq = ?, link = ?, signature = ? where id = 1", (seq, link, signature))
        return seq, at

    def _owe(self, sql: Sql, seq: int, period: str, card_number: str, notice: NewNotice) -> None:
        card = self._root.card_index(card_number) if card_number else ""
        sealed = self._periods.sealer(period).seal(canonical(notice.facts), notice.key)
        sql(
            "insert into notice(seq, host, act, key, card_index, amount_fen, sealed, tries, state)"
            " values (?, ?, ?, ?, ?, ?, ?, 0, 'owed')",
            (seq, notice.host, notice.act, notice.key, card, notice.amount_fen, sealed),
        )

    def _move_purse(self, sql: Sql, seq: int, entry: NewEntry) -> None:
        moved = -sum(posting.amount_fen for posting in entry.postings if posting.account is Account.RESIDENT)
        if moved:
            sql(_MOVE_PURSE, (entry.case_code, seq, moved))
            sql("delete from purse where case_code = ? and inside_fen = 0", (entry.case_code,))

    # Reading.

    def open_effects(self) -> list[StoredEntry]:
        """Intents without an outcome, oldest first: UNKNOWN, each to be driven or made a case."""
        seqs = [effect.seq for effect in Effect.select().order_by(Effect.seq)]
        return [self._stored(Entry.get_by_id(seq)) for seq in seqs]

    def unspent(self) -> list[tuple[StoredEntry, Fen]]:
        """Visits that ended, by a power cut, with a resident's money inside: newest entry of each, and how much."""
        rows = list(Purse.select().order_by(Purse.seq))
        return [(self._stored(Entry.get_by_id(row.seq)), Fen(row.inside_fen)) for row in rows]

    def last(self, *acts: str) -> StoredEntry | None:
        """The newest entry of any of these acts; walks back from the end, where what is asked for lies."""
        row = Entry.select().where(Entry.act.in_(acts)).order_by(Entry.seq.desc()).first()
        return self._stored(row) if row else None

    def since(self, moment: datetime, *acts: str) -> list[StoredEntry]:
        """Entries of these acts from ``moment`` on, in order. Walks back from the end and stops where enough rows in a
        row are older: a clock that stood wrong for a while hides nothing behind it."""
        found, older = [], 0
        for seq, at, act in self.database.execute_sql("select seq, at, act from entry order by seq desc"):
            if datetime.fromisoformat(at) >= moment:
                older = 0
                if act in acts:
                    found.append(seq)
            else:
                older += 1
                if older > OLDER_ROWS_MAX:
                    break
        return [self._stored(Entry.get_by_id(seq)) for seq in reversed(found)]

    def story(self, case_code: str) -> list[StoredEntry]:
        """Everything about one case, in order."""
        return [
            self._stored(row)
            for row in Entry.select().where(Entry.case_code == case_code, OF_A_CASE).order_by(Entry.seq)
        ]

    def of_card(self, card_number: str) -> list[StoredEntry]:
        index = self._root.card_index(card_number)
        return [
            self._stored(row) for row in Entry.select().where(Entry.card_index == index, OF_A_CARD).order_by(Entry.seq)
        ]

    def entries(self) -> list[StoredEntry]:
        return [self._stored(row) for row in Entry.select().order_by(Entry.seq)]

    def case_code_known(self, code: str) -> bool:
        return bool(Entry.select().where(Entry.case_code == code, OF_A_CASE).exists())

    def _stored(self, row: Entry) -> StoredEntry:
        clear = self._periods.opened(row.period, bytes(row.sealed), str(row.seq))
        facts = json.loads(clear) if clear is not None else None
        return StoredEntry(row.seq, row.at, row.act, row.case_code, facts, read_postings(row.postings))

    # Notices owed to hosts.

    def next_notice(self, host: str) -> OwedNotice | None:
        """The oldest notice that this host is still owed.

        Raises:
            SealBroken: the file was tampered with.
        """
        row = Notice.select().where(Notice.state == "owed", Notice.host == host).order_by(Notice.seq).first()
        if row is None:
            return None
        period = Entry.get_by_id(row.seq).period
        clear = self._periods.opened(period, bytes(row.sealed), row.key)
        assert clear is not None, "a period whose notices are owed is never destroyed"
        return OwedNotice(row.host, row.act, row.key, row.tries, json.loads(clear))

    def notice_ended(self, key: str, state: str) -> None:
        """``state``: "told" or "refused". The sealed content goes with the commit."""
        assert state in ("told", "refused")
        with self._commit() as sql:
            sql("update notice set state = ?, sealed = x'' where key = ?", (state, key))
            self._append(sql, NewEntry(f"notice_{state}", facts={"key": key}))
            sql(_UPDATE_TOTALS)

    def notice_unanswered(self, key: str) -> None:
        with self._commit() as sql:
            sql("update notice set tries = tries + 1 where key = ?", (key,))

    def notices_owed(self) -> int:
        return int(OutboxTotals.get_by_id(1).unsent_count)


def canonical(facts: Facts) -> bytes:
    return json.dumps(dict(facts), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _stored_postings(postings: tuple[Posting, ...]) -> str:
    return " ".join(f"{posting.account.value}:{posting.amount_fen}" for posting in postings)


def read_postings(stored: str) -> tuple[Posting, ...]:
    """Postings of a row, e.g. ``"cash_box:10000 resident:-10000"``.

    Raises:
        ValueError: not such a text, or an account that never existed.
    """
    pairs = (part.rsplit(":", 1) for part in stored.split())
    return tuple(Posting(Account(account), Fen(int(amount))) for account, amount in pairs)
