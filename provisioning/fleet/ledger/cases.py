"""Which cases still hold residents' money, kept beside the rows: asking costs what is open, not what ever was."""

from collections.abc import Iterable, Iterator, Sequence

from provisioning.fleet.database import step
from provisioning.fleet.ledger.rows import ACCOUNTS
from provisioning.fleet.schema.ledger import Board, CaseMoney, KeptRow

ROWS_AT_ONCE = 500


def note(board: int, rows: Iterable[tuple[str, str, str]]) -> None:
    """New rows of this board, each once, as (case code, time, postings). Inside the step that keeps them."""
    sums: dict[tuple[str, str], tuple[int, str]] = {}
    for case_code, at, postings in rows:
        for account, fen in moved(postings).items():
            if account in ACCOUNTS:
                before, first = sums.get((case_code, account), (0, at))
                sums[case_code, account] = before + fen, first
    for (case_code, account), (fen, at) in sums.items():
        told = {"board": board, "case_code": case_code, "account": account, "fen": fen, "at": at}
        CaseMoney.insert(told).on_conflict(
            conflict_target=[CaseMoney.board, CaseMoney.case_code, CaseMoney.account],
            update={CaseMoney.fen: CaseMoney.fen + fen},
        ).execute()
    if sums:
        CaseMoney.delete().where((CaseMoney.board == board) & (CaseMoney.fen == 0)).execute()


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
    with step():
        CaseMoney.delete().execute()
        for board in [int(one.id) for one in Board.select(Board.id)]:
            for part in _parts(board):
                note(board, part)


def _parts(board: int) -> Iterator[list[tuple[str, str, str]]]:
    last = 0
    while True:
        mine = (KeptRow.board == board) & (KeptRow.seq > last)
        rows = list(KeptRow.select().where(mine).order_by(KeptRow.seq).limit(ROWS_AT_ONCE))
        if not rows:
            return
        last = int(rows[-1].seq)
        yield [(str(row.case_code), str(row.at), str(row.postings)) for row in rows]


def moved(postings: str) -> dict[str, int]:
    """Account -> fen, of a row's postings as they stand in the journal."""
    pairs = (part.rsplit(":", 1) for part in postings.split())
    return {account: int(amount) for account, amount in pairs}
