"""What a dead board left behind, told to the people who have to settle it: its rows, opened by the custodians."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from provisioning.fleet.ledger.custody import Custodians, Facts, facts_of
from provisioning.fleet.ledger.paper import facts_on, only_on_paper
from provisioning.fleet.ledger.rows import ACCOUNTS
from provisioning.fleet.schema.ledger import Board, KeptPeriod, KeptRow

# Accounts of a terminal that stand for residents' money: what is there is owed, or must be explained to somebody.


@dataclass(frozen=True)
class Recovered:
    """One row. ``facts`` None: nobody can open them any more; what moved stands in clear all the same."""

    seq: int
    at: str
    act: str
    case_code: str
    facts: Facts | None
    postings: str
    only_on_paper: bool = False

    @property
    def moved(self) -> dict[str, int]:
        """Account -> fen."""
        pairs = (part.rsplit(":", 1) for part in self.postings.split())
        return {account: int(amount) for account, amount in pairs}


@dataclass
class Owed:
    """What a case leaves for a person to settle, in fen, and whose it is."""

    case_code: str
    card_number: str = field(default="", repr=False)
    last_act: str = ""
    fen: dict[str, int] = field(default_factory=dict)

    def of(self, account: str) -> int:
        """What the terminal owes on this account; what it is owed stands elsewhere."""
        return max(0, -self.fen.get(account, 0))


def recovered(board: Board, custodians: Custodians) -> Iterator[Recovered]:
    """Every row of the chain in order, then those that only receipts tell of."""
    periods = {one.period: one.wrapped for one in KeptPeriod.select().where(KeptPeriod.board == board.id)}
    keys = custodians.month_keys(periods)
    for row in KeptRow.select().where(KeptRow.board == board.id).order_by(KeptRow.seq).iterator():
        facts = facts_of(row.sealed, row.seq, keys.get(row.period))
        yield Recovered(row.seq, row.at, row.act, row.case_code, facts, row.postings)
    for paper in only_on_paper(board):
        told = facts_on(paper, custodians)
        yield Recovered(paper.seq, paper.at, paper.act, paper.case_code, told, paper.postings, only_on_paper=True)


def owed(rows: Iterable[Recovered]) -> list[Owed]:
    """The cases in which residents' money is still somewhere, in the order of their beginning."""
    cases: dict[str, Owed] = {}
    for row in rows:
        case = cases.setdefault(row.case_code, Owed(row.case_code))
        case.card_number = str((row.facts or {}).get("card_number", case.card_number))
        for account, amount in row.moved.items():
            case.fen[account] = case.fen.get(account, 0) + amount
            case.last_act = row.act
    return [case for case in cases.values() if any(map(case.of, ACCOUNTS))]
