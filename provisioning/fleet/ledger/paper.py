"""Rows on receipts: a terminal signs each receipt's row, so that paper is evidence when the board is dead. No IO in
reading; booking is one step. The code: ``docs/hosts/agency_ledger.yaml``.
"""

from typing import Annotated

import msgspec

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor
from provisioning.fleet.database import step
from provisioning.fleet.ledger.boards import alert, boards
from provisioning.fleet.ledger.custody import Custodians, Facts
from provisioning.fleet.ledger.keep import link_kept
from provisioning.fleet.ledger.rows import signed_by
from provisioning.fleet.schema.ledger import Board, PaperRow
from provisioning.rules.poll import TERMINAL_ID

_MARK = "YKT1:"
_TAG = b"yikatong journal row 1\0"
_SIGNATURE_BYTES = 64
_CODE_CHARS_MAX = 4296  # of the largest QR code
_DIGITS = {char: value for value, char in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")}


class CodeRefused(Exception):
    """No such code, one that was read wrongly, or one that no terminal of this city signed."""


class RowOnPaper(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """``sealed``: facts for the custodians, b"" without any."""

    terminal: Annotated[str, msgspec.Meta(pattern=TERMINAL_ID)]
    seq: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    at: Annotated[str, msgspec.Meta(max_length=40)]
    act: Annotated[str, msgspec.Meta(max_length=80)]
    case_code: Annotated[str, msgspec.Meta(max_length=12)]
    card_index: Annotated[bytes, msgspec.Meta(max_length=32)]
    postings: Annotated[str, msgspec.Meta(max_length=400)]
    link: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    sealed: bytes


class Code:
    """A code as it was read. Its ``row`` is nobody's word until ``signed_by`` said whose."""

    def __init__(self, text: str) -> None:
        """Raises CodeRefused."""
        if not text.startswith(_MARK) or len(text) > _CODE_CHARS_MAX:
            raise CodeRefused("not the code of a receipt")
        raw = _from_base45(text.removeprefix(_MARK))
        self._signature, self._body = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        try:
            self.row = msgspec.msgpack.decode(self._body, type=RowOnPaper)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise CodeRefused("read wrongly") from None

    def signed_by(self, public_key: str) -> bool:
        """``public_key`` in hex."""
        return signed_by(public_key, self._signature, _TAG + self._body)


def book_paper(actor: Actor, text: str, at_ms: int) -> tuple[str, RowOnPaper]:
    """A row from a receipt: ``booked``, or ``known`` where paper, line or stick brought it before.

    Raises:
        CodeRefused: read wrongly, not signed by any board of this terminal, or another row than the one kept.
    """
    code = Code(text)
    row, link = code.row, code.row.link.hex()
    board = next((one for one in boards(actor.tenant, row.terminal) if code.signed_by(one.public_key)), None)
    if board is None:
        alert(actor.tenant, row.terminal, row.seq, "receipt not signed by this terminal", at_ms)
        raise CodeRefused("not signed by this terminal")
    with step():
        kept = link_kept(board, row.seq) or _on_paper(board, row.seq)
        if not kept:
            PaperRow.insert(board=board.id, seq=row.seq, link=link, code=text).execute()
            audit.record(actor, at_ms, "receipt_booked", row.terminal, facts={"seq": row.seq, "case": row.case_code})
    if kept not in ("", link):
        alert(actor.tenant, row.terminal, row.seq, "differs on a receipt", at_ms)
        raise CodeRefused(f"row {row.seq} is another one here")
    return ("known" if kept else "booked"), row


def only_on_paper(board: Board) -> list[RowOnPaper]:
    """Rows that no line and no stick has brought yet, in order."""
    mine = (PaperRow.board == board.id) & (PaperRow.seq > board.seq)
    return [Code(one.code).row for one in PaperRow.select().where(mine).order_by(PaperRow.seq)]


def facts_on(row: RowOnPaper, custodians: Custodians) -> Facts | None:
    """What only the agency reads of it; None where it was sealed for custodians of another time."""
    if not row.sealed:
        return {}
    try:
        facts: Facts = msgspec.msgpack.decode(custodians.opened(row.sealed))
    except (ValueError, msgspec.MsgspecError):
        return None
    return facts


def _on_paper(board: Board, seq: int) -> str:
    found = PaperRow.get_or_none((PaperRow.board == board.id) & (PaperRow.seq == seq))
    return str(found.link) if found else ""


def _from_base45(text: str) -> bytes:
    """RFC 9285."""
    if len(text) % 3 == 1:
        raise CodeRefused("read wrongly")
    raw = bytearray()
    for place in range(0, len(text), 3):
        group = text[place : place + 3]
        try:
            number = sum(_DIGITS[char] * 45**power for power, char in enumerate(group))
            raw += number.to_bytes(len(group) - 1, "big")
        except (KeyError, OverflowError):
            raise CodeRefused("read wrongly") from None
    return bytes(raw)
