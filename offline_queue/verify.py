"""What an auditor asks of a journal file: is the chain whole, does the head hold, do the books balance?

Needs no key but the terminal's public one: links cover sealed bytes, postings are clear. The newest rows may not be
signed yet; for these the terminal's own secret is needed.
"""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import apsw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.basics.chain import GENESIS, head_signed_by
from kiosk.domain.books import Posting, totals
from kiosk.domain.money import Fen
from offline_queue.head import SignedHead, signed_head, unproved_row
from offline_queue.postings import read_postings
from offline_queue.schema import keep_plans
from offline_queue.sealing import Root

_COLUMNS = "seq, at, act, case_code, card_index, period, postings, sealed, link"


# A reader waits for nobody but the first who opens the file after a power cut, and reads a long log.
READ_BUSY_MS_MAX = 5_000


@dataclass(frozen=True)
class Verdict:
    """``broken_at``: seq of the first row that does not follow from those before it. ``why`` is for people.

    ``unsigned``: so many rows at the end are chained, and not signed yet.
    """

    rows: int
    broken_at: int | None = None
    why: str = ""
    unsigned: int = 0

    @property
    def whole(self) -> bool:
        return not self.why


def open_read_only(path: Path) -> apsw.Connection:
    """Raises apsw.Error: no such file, or no database."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(READ_BUSY_MS_MAX)
    keep_plans(connection)
    return connection


def verify(
    connection: apsw.Connection,
    public_key: Ed25519PublicKey | None,
    anchor: tuple[int, bytes] | None = None,
    root: Root | None = None,
) -> Verdict:
    """Walk the whole chain. ``anchor``: (seq, link) of a head that was seen outside, e.g. by the fleet or on a receipt.

    A missing row, an edited column, a cut-off end and a forged head are all found; which, stands in ``why``. With the
    terminal's ``root`` the rows after the signed head are proved, too.
    """
    head = signed_head(connection)  # first: a kiosk that goes on writing signs only what comes later
    walked = _walk(connection)
    if not walked.whole:
        return walked
    return _anchored(connection, walked.rows, anchor) or _signed(connection, walked.rows, head, public_key, root)


def _walk(connection: apsw.Connection) -> Verdict:
    link, expected = GENESIS, 0
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
        if postings and sum([int(part.rsplit(":", 1)[1]) for part in postings.split()]):
            return Verdict(seq, seq, f"row {seq} does not balance")
    return Verdict(expected)


def _anchored(connection: apsw.Connection, rows: int, anchor: tuple[int, bytes] | None) -> Verdict | None:
    if anchor is None:
        return None
    seq, link = anchor
    if seq > rows:
        return Verdict(rows, rows + 1, "the file ends before the anchored head")
    if link != _link_at(connection, seq):
        return Verdict(seq, seq, f"row {seq} is not what was anchored outside")
    return None


def _signed(
    connection: apsw.Connection, rows: int, head: SignedHead, public_key: Ed25519PublicKey | None, root: Root | None
) -> Verdict:
    if head.seq > rows:
        return Verdict(rows, rows + 1, f"row {head.seq} was signed, the file ends at row {rows}")
    if head.link != _link_at(connection, head.seq):
        return Verdict(rows, head.seq, f"row {head.seq} is not what was signed")
    if head.seq and public_key is not None and not head_signed_by(public_key, head.seq, head.link, head.signature):
        return Verdict(rows, head.seq, "the head is not signed by this terminal")
    stranger = unproved_row(connection, root, head) if root else None
    if stranger is not None:
        return Verdict(rows, stranger, f"row {stranger} was not written by this terminal")
    return Verdict(rows, unsigned=rows - head.seq)


def _link_at(connection: apsw.Connection, seq: int) -> bytes:
    (link,) = next(iter(connection.execute("select link from entry where seq = ?", (seq,))), (GENESIS,))
    return bytes(link)


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
