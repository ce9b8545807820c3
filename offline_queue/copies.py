"""Rows of the journal as the agency's ledger takes them: sealed as they stand, in order, under a fresh signature."""

from pathlib import Path
from typing import Any

import apsw

from kiosk.basics.chain import sign_head
from kiosk.domain.cases import Unsent
from kiosk.domain.ledger import LedgerBatch, LedgerHead, LedgerRow
from kiosk.domain.money import Fen
from offline_queue.layout import UNDER_WAY
from offline_queue.sealing import Root
from offline_queue.verify import open_read_only

_NEXT = """
    select seq, at, act, case_code, card_index, period, postings, sealed, link from entry
    where seq > ? order by seq limit ?
"""


class JournalCopies:
    """Implements ``ports.JournalRows``; reads by a connection of its own, for which no writer waits."""

    def __init__(self, connection: apsw.Connection, root: Root) -> None:
        self._connection = connection
        self._root = root
        self.public_key = root.signing.public_key().public_bytes_raw()

    def close(self) -> None:
        self._connection.close()

    def newest(self) -> int:
        return int(self._one("select coalesce(max(seq), 0) from entry")[0])

    def unsent(self) -> Unsent:
        count, total, oldest = self._one("select unsent_count, unsent_sum_fen, oldest_at from outbox_totals")
        return Unsent(count, Fen(total), oldest)

    def put_aside(self) -> int:
        """How many notices wait for a person."""
        return int(self._one("select count(*) from notice where state = 'quarantined'")[0])

    def open_effects(self) -> int:
        return int(self._one("select open_effects from outbox_totals")[0])

    def under_way(self) -> int:
        """What an update waits for."""
        return int(self._one(UNDER_WAY)[0])

    def _one(self, sql: str) -> tuple[Any, ...]:
        return tuple(next(iter(self._connection.execute(sql))))

    def link_of(self, seq: int) -> bytes:
        """Of a row that is there."""
        return bytes(next(iter(self._connection.execute("select link from entry where seq = ?", (seq,))))[0])

    def signed(self, content: bytes) -> bytes:
        """By the journal's own key. The caller puts a tag of its own in front, so that no text passes for another."""
        return self._root.signing.sign(content)

    def after(self, seq: int, rows_max: int, bytes_max: int) -> LedgerBatch | None:
        """The next rows, at least one however long it is; None: there is no more."""
        rows: list[LedgerRow] = []
        size = 0
        for found in self._connection.execute(_NEXT, (seq, rows_max)):
            row = LedgerRow(*found)
            size += len(row.sealed)
            if rows and size > bytes_max:
                break
            rows.append(row)
        if not rows:
            return None
        last = rows[-1]
        head = LedgerHead(last.seq, last.link, sign_head(self._root.signing, last.seq, last.link), self.public_key)
        return LedgerBatch(tuple(rows), head, self._wrapped({row.period for row in rows}))

    def _wrapped(self, periods: set[str]) -> dict[str, bytes]:
        """Without a recovery key nothing was wrapped for the agency: then there is nothing to send."""
        found = self._connection.execute("select period, for_agency from period where length(for_agency) > 0")
        return {period: bytes(wrapped) for period, wrapped in found if period in periods}


def open_copies(folder: Path) -> JournalCopies:
    """Raises apsw.Error, OSError, ValueError: no journal there, or its key cannot be read."""
    return JournalCopies(open_read_only(folder / "journal.db"), Root((folder / "journal.key").read_bytes()))
