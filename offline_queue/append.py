"""More rows at the end of the chain: sealed, linked, proved, and findable again."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from kiosk.basics.chain import GENESIS, link_of, sign_head
from kiosk.domain.entries import Facts, NewEntry, NewNotice
from kiosk.domain.record_kinds import kind_of_act
from offline_queue.layout import BLOCK_ROWS, Sql
from offline_queue.periods import Periods
from offline_queue.postings import stored_postings
from offline_queue.sealing import Root, Sealer

# A signature takes as long as the rest of a commit's arithmetic, so it is made for every so many rows, for the last of
# a commit, and whenever somebody asks for it. Rows in between are proved by a keyed MAC.
SIGNED_EVERY = 16

_LAST = "select seq, link from entry order by seq desc limit 1"
_INSERT_ENTRY = """
    insert into entry(seq, at, act, case_code, card_index, period, postings, sealed, link, proof)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_INSERT_NOTICE = """
    insert into notice(seq, host, act, key, card_index, amount_fen, sealed, tries, state)
    values (?, ?, ?, ?, ?, ?, ?, 0, 'owed')
"""
_FIND = "insert or ignore into found(word, block) values (?, ?)"
_SIGN = "update signed_head set seq = ?, link = ?, signature = ? where id = 1"

canonical: Callable[[Facts], bytes] = msgspec.json.Encoder(order="deterministic").encode


class Appender:
    """Every method is called inside the caller's commit, with its ``sql``."""

    def __init__(self, root: Root, periods: Periods, now: Callable[[], datetime]) -> None:
        self._root = root
        self._periods = periods
        self._now = now
        self._found: set[tuple[str, int]] = set()  # of the block at the end: no need to write them again

    def append(self, sql: Sql, *entries: NewEntry) -> int:
        """The last one's ``seq``. The chain's end is read anew each time: another process may have written since."""
        seq, link = before, _ = newest(sql)
        at = self._now().isoformat(timespec="milliseconds")
        for entry in entries:
            seq += 1
            period, sealer = self._periods.sealer(at[:7], kind_of_act(entry.act))
            link = self._add(sql, seq, at, period, link, sealer, entry)
        if seq // SIGNED_EVERY != before // SIGNED_EVERY:
            self.sign(sql, seq, link)
        return seq

    def wrap_older(self, sql: Sql, months_max: int) -> int:
        """Months whose rows are older than the agency's key; how many. Each is told by a row of its own that is sealed
        under the very month's key: whatever takes rows along to another place takes that key along with it."""
        seq, link = newest(sql)
        months = self._periods.not_wrapped()[:months_max]
        at = self._now().isoformat(timespec="milliseconds")
        for month in months:
            seq += 1
            sealer = self._periods.wrap(month)
            link = self._add(sql, seq, at, month, link, sealer, NewEntry("month_wrapped", "", {"month": month}))
        if months:
            self.sign(sql, seq, link)
        return len(months)

    def _add(self, sql: Sql, seq: int, at: str, period: str, before: bytes, sealer: Sealer, entry: NewEntry) -> bytes:
        """Its link."""
        card, facts = "", entry.facts
        if entry.card_number:
            card, facts = self._root.card_index(entry.card_number), {**facts, "card_number": entry.card_number}
        sealed = sealer.seal(canonical(facts), str(seq))
        clear = (seq, at, entry.act, entry.case_code, card, period, stored_postings(entry.postings))
        link = link_of(before, clear, sealed)
        sql(_INSERT_ENTRY, (*clear, sealed, link, self._root.proof(link)))
        self._make_findable(sql, seq // BLOCK_ROWS, entry.case_code, card)
        for notice in entry.notices:
            self._owe(sql, seq, card, sealer, notice)
        return link

    def sign(self, sql: Sql, seq: int, link: bytes) -> None:
        sql(_SIGN, (seq, link, sign_head(self._root.signing, seq, link)))

    def undone(self) -> None:
        """The commit did not happen."""
        self._found.clear()
        self._periods.undone()

    def _make_findable(self, sql: Sql, block: int, *words: str) -> None:
        for word in words:
            if word and (word, block) not in self._found:
                if len(self._found) > 2 * BLOCK_ROWS:
                    self._found.clear()
                sql(_FIND, (word, block))
                self._found.add((word, block))

    def _owe(self, sql: Sql, seq: int, card: str, sealer: Sealer, notice: NewNotice) -> None:
        sealed = sealer.seal(canonical(notice.facts), notice.key)
        if notice.card_number:
            card = self._root.card_index(notice.card_number)
        sql(_INSERT_NOTICE, (seq, notice.host, notice.act, notice.key, card, notice.amount_fen, sealed))


def newest(sql: Sql) -> tuple[int, bytes]:
    """``seq`` and link of the last row; of an empty journal, what the chain begins with."""
    return next(iter(sql(_LAST)), (0, GENESIS))
