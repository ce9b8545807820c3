"""Rows of the journal as the agency's ledger takes them: sealed as they stand, in order, under a fresh signature."""

from pathlib import Path

import apsw

from kiosk.domain.ledger import LedgerBatch, LedgerHead, LedgerRow
from offline_queue.chain import sign_head
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
        self._public_key = root.signing.public_key().public_bytes_raw()

    def newest(self) -> int:
        return int(next(iter(self._connection.execute("select coalesce(max(seq), 0) from entry")))[0])

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
        head = LedgerHead(last.seq, last.link, sign_head(self._root.signing, last.seq, last.link), self._public_key)
        return LedgerBatch(tuple(rows), head, self._wrapped({row.period for row in rows}))

    def _wrapped(self, periods: set[str]) -> dict[str, bytes]:
        """Without a recovery key nothing was wrapped for the agency: then there is nothing to send."""
        found = self._connection.execute("select period, for_agency from period where length(for_agency) > 0")
        return {period: bytes(wrapped) for period, wrapped in found if period in periods}


def open_copies(folder: Path) -> JournalCopies:
    """Raises apsw.Error, OSError, ValueError: no journal there, or its key cannot be read."""
    return JournalCopies(open_read_only(folder / "journal.db"), Root((folder / "journal.key").read_bytes()))
