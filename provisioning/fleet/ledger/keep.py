"""Keeps rows once and in order, however often and by whichever way they come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from provisioning.fleet.actor import Actor, Refused
from provisioning.fleet.database import step
from provisioning.fleet.ledger import cases
from provisioning.fleet.ledger.boards import alert, board_in_service, board_of
from provisioning.fleet.ledger.rows import NOTHING_BEFORE, Row, Rows
from provisioning.fleet.schema.ledger import Board, KeptPeriod, KeptRow, PaperRow

KEPT, KNOWN = "kept", "known"


@dataclass(frozen=True)
class Result:
    """``result``: kept | known | gap | differs | broken."""

    seq: int
    result: str


def kept_up_to(actor: Actor, terminal_id: str) -> tuple[int, str]:
    """The newest row of the unbroken chain of the board in service, and its link."""
    board = board_in_service(actor.tenant, terminal_id)
    return (board.seq, board.link) if board else (0, NOTHING_BEFORE)


def keep_told(actor: Actor, terminal_id: str, told: Rows, at_ms: int) -> list[Result]:
    """Rows from the terminal's own line.

    Raises:
        Refused: ``head_not_signed``, ``board_not_registered``, ``board_replaced``; nothing was kept.
    """
    head, last = told.head, told.rows[-1]
    if (head.seq, head.link) != (last.seq, last.link) or not head.holds():
        alert(actor.tenant, terminal_id, head.seq, "head not signed by this terminal", at_ms)
        raise Refused("head_not_signed", "链头签名无效 The head is not signed by this terminal")
    try:
        board = board_of(actor, terminal_id, head.public_key, at_ms)
    except Refused:
        alert(actor.tenant, terminal_id, head.seq, "another board asks to be this terminal", at_ms)
        raise
    if board.replaced_ms is not None:
        alert(actor.tenant, terminal_id, head.seq, "a replaced board is at work", at_ms)
        raise Refused("board_replaced", "终端主板已更换 The terminal's board was replaced")
    return keep(board, told.rows, {one.period: one.wrapped for one in told.periods}, at_ms)


def keep(board: Board, rows: Sequence[Row], periods: Mapping[str, str], at_ms: int) -> list[Result]:
    """In order, up to the first that cannot be kept; one step. Rows whose signature was checked."""
    with step():
        Board.update(heard_ms=at_ms).where(Board.id == board.id).execute()  # whoever comes second waits here
        now: Board = Board.get_by_id(board.id)
        results, new = _judged(now, rows)
        for result in results:
            if result.result not in (KEPT, KNOWN):
                alert(now.tenant_id, now.terminal_id, result.seq, result.result, at_ms)
        if new:
            KeptRow.insert_many([{"board": now.id, **msgspec.structs.asdict(row)} for row in new]).execute()
            cases.note(now.id, [(row.case_code, row.at, row.postings) for row in new])
            Board.update(seq=new[-1].seq, link=new[-1].link).where(Board.id == now.id).execute()
        for period, wrapped in periods.items():
            facts = {"board": now.id, "period": period, "wrapped": wrapped}
            KeptPeriod.insert(facts).on_conflict(
                conflict_target=[KeptPeriod.board, KeptPeriod.period], preserve=[KeptPeriod.wrapped]
            ).execute()
        return results


def _judged(board: Board, rows: Sequence[Row]) -> tuple[list[Result], list[Row]]:
    """What becomes of each, and those that are new."""
    results: list[Result] = []
    new: list[Row] = []
    seq, link = board.seq, board.link
    for row in rows:
        verdict = _verdict(board, row, seq, link)
        results.append(Result(row.seq, verdict))
        if verdict == KEPT:
            new.append(row)
            seq, link = row.seq, row.link
        elif verdict != KNOWN:
            break
    return results, new


def _verdict(board: Board, row: Row, seq: int, link: str) -> str:
    if row.seq <= board.seq:
        return KNOWN if link_kept(board, row.seq) == row.link else "differs"
    if row.seq != seq + 1:
        return "gap"
    if not row.follows(link):
        return "broken"
    paper = PaperRow.get_or_none((PaperRow.board == board.id) & (PaperRow.seq == row.seq))
    if paper is not None and paper.link != row.link:
        return "differs"  # from what the terminal signed on a receipt
    return KEPT


def link_kept(board: Board, seq: int) -> str:
    """The link of a row that is there; "" without one."""
    row = KeptRow.get_or_none((KeptRow.board == board.id) & (KeptRow.seq == seq))
    return str(row.link) if row else ""
