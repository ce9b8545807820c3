"""What an auditor asks of a journal file: is the chain whole, does the head hold, do the books balance?

Needs no key but the terminal's public one: links cover sealed bytes, postings are clear.
"""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import apsw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.domain.books import Posting, totals
from kiosk.domain.money import Fen
from offline_queue.chain import GENESIS, head_signed_by
from offline_queue.journal import read_postings

_COLUMNS = "seq, at, act, case_code, card_index, period, postings, sealed, link"


@dataclass(frozen=True)
class Verdict:
    """``broken_at``: seq of the first row that does not follow from those before it. ``why`` is for people."""

    rows: int
    broken_at: int | None = None
    why: str = ""

    @property
    def whole(self) -> bool:
        return not self.why


def open_read_only(path: Path) -> apsw.Connection:
    """Raises apsw.Error: no such file, or no database."""
    return apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)


def verify(
    connection: apsw.Connection, public_key: Ed25519PublicKey | None, anchor: tuple[int, bytes] | None = None
) -> Verdict:
    """Walk the whole chain. ``anchor``: (seq, link) of a head that was seen outside, e.g. by the fleet or on a receipt.

    A missing row, an edited column, a cut-off end and a forged head are all found; which, stands in ``why``.
    """
    link, expected, seen_anchor = GENESIS, 0, anchor is None
    for seq, at, act, case, card, period, postings, sealed, stored in connection.execute(
        f"select {_COLUMNS} from entry order by seq"  # noqa: S608 - a constant
    ):
        expected += 1
        if seq != expected:
            return Verdict(expected - 1, expected, f"row {expected} is missing")
        # Inlined link_of: this loop walks millions of rows.
        link = sha256(link + f"{seq}\0{at}\0{act}\0{case}\0{card}\0{period}\0{postings}\0".encode() + sealed).digest()
        if link != stored:
            return Verdict(seq, seq, f"row {seq} does not follow from the rows before it")
        if postings and sum(int(part.rsplit(":", 1)[1]) for part in postings.split()):
            return Verdict(seq, seq, f"row {seq} does not balance")
        if anchor is not None and seq == anchor[0]:
            if link != anchor[1]:
                return Verdict(seq, seq, f"row {seq} is not what was anchored outside")
            seen_anchor = True
    if not seen_anchor:
        return Verdict(expected, expected + 1, "the file ends before the anchored head")
    return _head_verdict(connection, public_key, expected, link)


def _head_verdict(connection: apsw.Connection, public_key: Ed25519PublicKey | None, rows: int, link: bytes) -> Verdict:
    seq, head, signature = next(iter(connection.execute("select seq, link, signature from head where id = 1")))
    if (seq, head) != (rows, link):
        return Verdict(rows, rows + 1, f"the head names row {seq}, the file ends at row {rows}")
    if rows and public_key is not None and not head_signed_by(public_key, seq, head, signature):
        return Verdict(rows, rows, "the head is not signed by this terminal")
    return Verdict(rows)


def statement(connection: apsw.Connection, day: str) -> tuple[dict[str, Fen], dict[str, Fen]]:
    """Books of one day (``YYYY-MM-DD``): balances at its end, and movements within it, by account name."""
    at_end: list[Posting] = []
    within: list[Posting] = []
    for at, postings in connection.execute("select at, postings from entry where postings != '' order by seq"):
        if at[:10] <= day:
            at_end += read_postings(postings)
        if at[:10] == day:
            within += read_postings(postings)
    return _named(at_end), _named(within)


def _named(postings: list[Posting]) -> dict[str, Fen]:
    return {account.value: amount for account, amount in totals(postings).items()}
