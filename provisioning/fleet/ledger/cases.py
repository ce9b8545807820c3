"""Which cases still hold residents' money, kept beside the rows: asking costs what is open, not what ever was."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from provisioning.fleet.database import step, tuples
from provisioning.fleet.ledger.rows import ACCOUNTS
from provisioning.fleet.schema.ledger import Board, CaseMoney, CountedBoards, KeptRow

ROWS_AT_ONCE = 500
BOARDS_AT_ONCE = 20
CASE_MONEY = "case_money"
Moved = tuple[str, str, str]  # case code, time, postings
Sums = dict[tuple[str, str], tuple[int, str]]  # case code and account -> fen, time of the first row that moved any


def note(board: int, rows: Iterable[Moved]) -> None:
    """New rows of this board, each once, as (case code, time, postings). Inside the step that keeps them."""
    sums: Sums = {}
    _add(sums, rows)
    for told in _told(board, sums):
        CaseMoney.insert(told).on_conflict(
            conflict_target=[CaseMoney.board, CaseMoney.case_code, CaseMoney.account],
            update={CaseMoney.fen: CaseMoney.fen + told["fen"]},
        ).execute()
    if sums:
        CaseMoney.delete().where((CaseMoney.board == board) & (CaseMoney.fen == 0)).execute()


def _add(sums: Sums, rows: Iterable[Moved]) -> None:
    for case_code, at, postings in rows:
        for account, fen in moved(postings).items():
            if account in ACCOUNTS:
                before, first = sums.get((case_code, account), (0, at))
                sums[case_code, account] = before + fen, first


def _told(board: int, sums: Sums) -> Iterator[dict[str, Any]]:
    for (case_code, account), (fen, at) in sums.items():
        yield {"board": board, "case_code": case_code, "account": account, "fen": fen, "at": at}


def holding(tenant: str, terminal_ids: Sequence[str], most: int) -> list[tuple[int, str]]:
    """Board and code of cases that owe somebody something, oldest first. No ``terminal_ids``: of the whole city."""
    where = (Board.tenant == tenant) & (CaseMoney.fen < 0)
    if terminal_ids:
        where &= Board.terminal_id.in_(terminal_ids)
    found = CaseMoney.select(CaseMoney.board, CaseMoney.case_code, CaseMoney.at).join(Board).where(where)
    cases = dict.fromkeys(
        (int(row.board_id), str(row.case_code)) for row in found.order_by(CaseMoney.at).limit(4 * most)
    )
    return list(cases)[:most]


def count_anew() -> None:
    """From the rows themselves: after a restore, whose backup may know nothing of this table."""
    for board in _boards_after(0):
        _count(board)


def count_older(boards_max: int = BOARDS_AT_ONCE) -> int:
    """Boards whose rows are older than this table, each once; how many of them now. What was counted is remembered, so
    that a server that ends in between goes on where it was. Counting one twice is harmless."""
    mark = CountedBoards.get_or_none(CountedBoards.what == CASE_MONEY)
    boards = _boards_after(int(mark.up_to) if mark else 0)[:boards_max]
    for board in boards:
        _count(board)
        CountedBoards.insert(what=CASE_MONEY, up_to=board).on_conflict(
            conflict_target=[CountedBoards.what], update={CountedBoards.up_to: board}
        ).execute()
    return len(boards)


def _boards_after(board: int) -> list[int]:
    return [int(one.id) for one in Board.select(Board.id).where(Board.id > board).order_by(Board.id)]


def _count(board: int) -> None:
    """Rows stay as they are, so nobody waits while most of them are read; who keeps a new one waits for the rest."""
    sums: Sums = {}
    read = 0
    for newest, part in _parts(board, 0):
        _add(sums, part)
        read = newest
    with step():
        Board.update(heard_ms=Board.heard_ms).where(
            Board.id == board
        ).execute()  # as ``keep.keep``: whoever is second waits
        for _, part in _parts(board, read):
            _add(sums, part)
        CaseMoney.delete().where(CaseMoney.board == board).execute()
        held = [told for told in _told(board, sums) if told["fen"]]
        for start in range(0, len(held), ROWS_AT_ONCE):
            CaseMoney.insert_many(held[start : start + ROWS_AT_ONCE]).execute()


def _parts(board: int, last: int) -> Iterator[tuple[int, list[Moved]]]:
    """The rows that moved money, after ``last``; with the number of the newest that was read."""
    columns = (KeptRow.seq, KeptRow.case_code, KeptRow.at, KeptRow.postings)
    while True:
        mine = (KeptRow.board == board) & (KeptRow.seq > last) & (KeptRow.postings != "")
        rows = list(tuples(KeptRow.select(*columns).where(mine).order_by(KeptRow.seq).limit(ROWS_AT_ONCE)))
        if not rows:
            return
        last = int(rows[-1][0])
        yield last, [(str(case_code), str(at), str(postings)) for _, case_code, at, postings in rows]


def moved(postings: str) -> dict[str, int]:
    """Account -> fen, of a row's postings as they stand in the journal."""
    pairs = (part.rsplit(":", 1) for part in postings.split())
    return {account: int(amount) for account, amount in pairs}
