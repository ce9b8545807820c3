"""The signed head, and the few rows after it that only their proofs vouch for."""

from dataclasses import dataclass

import apsw

from kiosk.basics.chain import GENESIS, link_of
from offline_queue.sealing import Root

_TAIL = """
    select seq, at, act, case_code, card_index, period, postings, sealed, link, proof from entry
    where seq > ? order by seq
"""


@dataclass(frozen=True)
class SignedHead:
    """``seq`` 0 with no signature: nothing was signed yet."""

    seq: int
    link: bytes
    signature: bytes


def signed_head(connection: apsw.Connection) -> SignedHead:
    """The newest head that was signed. A file of an older program keeps it in ``head`` and signs every row."""
    tables = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
    table = "signed_head" if "signed_head" in tables else "head"
    seq, link, signature = next(iter(connection.execute(f"select seq, link, signature from {table} where id = 1")))  # noqa: S608 - two constants
    return SignedHead(seq, link, signature)


def unproved_row(connection: apsw.Connection, root: Root, head: SignedHead) -> int | None:
    """The first row after the signed head that this terminal did not write, or None."""
    link = head.link if head.seq else GENESIS
    for seq, at, act, case, card, period, postings, sealed, stored, proof in connection.execute(_TAIL, (head.seq,)):
        link = link_of(link, (seq, at, act, case, card, period, postings), sealed)
        if link != stored or not root.proves(link, proof):
            return int(seq)
    return None
