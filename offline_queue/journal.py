"""The journal: append an entry, durable on return, chained by hash to everything before it.

Everything that belongs to one act rides in one commit: the entry with its postings, an effect opened or closed, notices
owed, the signed head and the outbox totals. No method awaits, so nothing comes between.
"""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from kiosk.domain.books import Account, Posting, balanced
from kiosk.domain.entries import Facts, NewEntry, NewNotice, OwedNotice, StoredEntry
from kiosk.domain.money import Fen
from offline_queue.chain import link_of, sign_head
from offline_queue.periods import Periods
from offline_queue.schema import Effect, Entry, Head, Notice, OutboxTotals, Purse, open_database
from offline_queue.sealing import Root


class SqliteJournal:
    """Implements ``ports.Journal`` on ``journal.db`` in the terminal's data directory.

    Raises at construction:
        JournalUnusable, OSError, ValueError: the kiosk must not start.
    """

    def __init__(self, data_dir: Path, now: Callable[[], datetime], recovery: rsa.RSAPublicKey | None = None) -> None:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._database = open_database(data_dir / "journal.db")
        self._root = Root.at(data_dir / "journal.key")
        self._periods = Periods(self._root, recovery)
        self._now = now

    def close(self) -> None:
        self._database.close()

    # Writing.

    def commit(self, entry: NewEntry) -> int:
        """Append one act with all that rides with it; its ``seq``.

        Raises:
            Unbalanced: the postings do not sum to zero. peewee.IntegrityError: the key of an effect or notice was
            used before. Nothing is written then.
        """
        balanced(*((posting.account, posting.amount_fen) for posting in entry.postings))
        with self._database.atomic("IMMEDIATE"):
            seq, at = self._append(entry)
            if entry.opens:
                Effect.insert(key=entry.opens, seq=seq).execute()
            if entry.closes:
                Effect.delete().where(Effect.key == entry.closes).execute()
            self._move_purse(seq, entry)
            for notice in entry.notices:
                self._owe(seq, at[:7], entry.card_number, notice)
            if entry.opens or entry.closes or entry.notices:
                self._update_totals(at)
        return seq

    def record(self, act: str, case_code: str = "", /, **facts: str | int) -> int:
        return self.commit(NewEntry(act, case_code, facts))

    def owe_notice(self, host: str, act: str, key: str, /, **facts: str | int) -> None:
        self.commit(NewEntry("notice_owed", notices=(NewNotice(host, act, key, facts),)))

    def _append(self, entry: NewEntry) -> tuple[int, str]:
        head = Head.get_by_id(1)
        seq = head.seq + 1
        at = self._now().isoformat(timespec="milliseconds")
        period = at[:7]
        card = self._root.card_index(entry.card_number) if entry.card_number else ""
        postings = _stored_postings(entry.postings)
        facts = {**entry.facts, "card_number": entry.card_number} if entry.card_number else entry.facts
        sealed = self._periods.sealer(period).seal(canonical(facts), str(seq))
        link = link_of(bytes(head.link), (seq, at, entry.act, entry.case_code, card, period, postings), sealed)
        Entry.insert(
            seq=seq,
            at=at,
            act=entry.act,
            case_code=entry.case_code,
            card_index=card,
            period=period,
            postings=postings,
            sealed=sealed,
            link=link,
        ).execute()
        signature = sign_head(self._root.signing, seq, link)
        Head.update(seq=seq, link=link, signature=signature).where(Head.id == 1).execute()
        return seq, at

    def _owe(self, seq: int, period: str, card_number: str, notice: NewNotice) -> None:
        Notice.insert(
            seq=seq,
            host=notice.host,
            act=notice.act,
            key=notice.key,
            card_index=self._root.card_index(card_number) if card_number else "",
            amount_fen=notice.amount_fen,
            sealed=self._periods.sealer(period).seal(canonical(notice.facts), notice.key),
        ).execute()

    def _move_purse(self, seq: int, entry: NewEntry) -> None:
        moved = -sum(posting.amount_fen for posting in entry.postings if posting.account is Account.RESIDENT)
        if not moved:
            return
        row = Purse.get_or_none(Purse.case_code == entry.case_code)
        inside = moved + (row.inside_fen if row else 0)
        if inside:
            Purse.insert(case_code=entry.case_code, seq=seq, inside_fen=inside).on_conflict_replace().execute()
        else:
            Purse.delete().where(Purse.case_code == entry.case_code).execute()

    def _update_totals(self, at: str) -> None:
        owed = Notice.select().where(Notice.state == "owed")
        oldest = owed.order_by(Notice.seq).first()
        OutboxTotals.update(
            unsent_count=owed.count(),
            unsent_sum_fen=sum(notice.amount_fen for notice in owed),
            oldest_at=Entry.get_by_id(oldest.seq).at if oldest else "",
            open_effects=Effect.select().count(),
        ).where(OutboxTotals.id == 1).execute()

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

    def story(self, case_code: str) -> list[StoredEntry]:
        """Everything about one case, in order."""
        return [self._stored(row) for row in Entry.select().where(Entry.case_code == case_code).order_by(Entry.seq)]

    def of_card(self, card_number: str) -> list[StoredEntry]:
        index = self._root.card_index(card_number)
        return [self._stored(row) for row in Entry.select().where(Entry.card_index == index).order_by(Entry.seq)]

    def entries(self) -> list[StoredEntry]:
        return [self._stored(row) for row in Entry.select().order_by(Entry.seq)]

    def case_code_known(self, code: str) -> bool:
        return bool(Entry.select().where(Entry.case_code == code).exists())

    def _stored(self, row: Entry) -> StoredEntry:
        clear = self._periods.opened(row.period, bytes(row.sealed), str(row.seq))
        facts = json.loads(clear) if clear is not None else None
        return StoredEntry(row.seq, row.at, row.act, row.case_code, facts, read_postings(row.postings))

    # Notices owed to hosts.

    def next_notice(self) -> OwedNotice | None:
        """The oldest notice that is still owed.

        Raises:
            SealBroken: the file was tampered with.
        """
        row = Notice.select().where(Notice.state == "owed").order_by(Notice.seq).first()
        if row is None:
            return None
        period = Entry.get_by_id(row.seq).period
        clear = self._periods.opened(period, bytes(row.sealed), row.key)
        assert clear is not None, "a period whose notices are owed is never destroyed"
        return OwedNotice(row.host, row.act, row.key, row.tries, json.loads(clear))

    def notice_ended(self, key: str, state: str) -> None:
        """``state``: "told" or "refused". The sealed content goes with the commit."""
        assert state in ("told", "refused")
        with self._database.atomic("IMMEDIATE"):
            Notice.update(state=state, sealed=b"").where(Notice.key == key).execute()
            _, at = self._append(NewEntry(f"notice_{state}", facts={"key": key}))
            self._update_totals(at)

    def notice_unanswered(self, key: str) -> None:
        with self._database.atomic("IMMEDIATE"):
            Notice.update(tries=Notice.tries + 1).where(Notice.key == key).execute()

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
