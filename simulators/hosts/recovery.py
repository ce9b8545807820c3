"""What the agency can tell of a terminal whose board is dead: the stories of its rows, opened by the two custodians.

Rows came by line, by stick, from the second medium, or off receipts; from where makes no difference. INVENTED.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from simulators.hosts.journal_bundle import OAEP, Row
from simulators.hosts.ledger_books import LedgerBooks
from simulators.hosts.row_code import opened

NONCE_BYTES = 12
# Accounts of a terminal that stand for residents' money: what is there is owed, or must be explained to somebody.
INSIDE, OWED, UNDER_CHECK = "resident", "holder_debt", "suspense"
NOT_CREDITED = "contributions"


@dataclass(frozen=True)
class Recovered:
    """One row. ``facts``: None where its month's key is not there, was destroyed at the end of its retention, or does
    not open it: what moved stands in clear all the same."""

    seq: int
    at: str
    act: str
    case_code: str
    facts: dict[str, str | int] | None
    postings: str
    on_paper_only: bool = False

    @property
    def moved(self) -> dict[str, int]:
        """Account -> fen."""
        pairs = (part.rsplit(":", 1) for part in self.postings.split())
        return {account: int(amount) for account, amount in pairs}


@dataclass
class Owed:
    """What a case leaves for a person to settle, in fen, and whose it is."""

    case_code: str
    card_number: str = ""
    last_act: str = ""
    fen: dict[str, int] = field(default_factory=dict)

    def of(self, account: str) -> int:
        """What the terminal owes on this account; what it is owed stands elsewhere."""
        return max(0, -self.fen.get(account, 0))

    @property
    def anything(self) -> bool:
        return any(map(self.of, (INSIDE, OWED, UNDER_CHECK, NOT_CREDITED)))


def recovered(books: LedgerBooks, chain: str, custodians: RSAPrivateKey) -> Iterator[Recovered]:
    """Every row of one board's chain in order, then those that only receipts tell of."""
    keys = dict(_unwrapped(books.periods(chain), custodians))
    for row in books.rows(chain):
        yield Recovered(row.seq, row.at, row.act, row.case_code, _facts(row, keys), row.postings)
    for paper in books.only_on_paper(chain):
        try:
            told = opened(paper, custodians)
        except ValueError:  # sealed for custodians of another time
            told = None
        yield Recovered(paper.seq, paper.at, paper.act, paper.case_code, told, paper.postings, on_paper_only=True)


def keys_hold(rows: Iterable[Row], periods: Mapping[str, str], custodians: RSAPrivateKey) -> bool:
    """Whether these wrapped keys open the rows of their months: on a medium no signature covers them."""
    keys = dict(_unwrapped(periods, custodians))
    mine = (row for row in rows if row.period in periods)
    return keys.keys() == periods.keys() and all(_facts(row, keys) is not None for row in mine)


def owed(rows: Iterable[Recovered]) -> list[Owed]:
    """The cases in which residents' money is still somewhere, in the order of their beginning."""
    cases: dict[str, Owed] = {}
    for row in rows:
        case = cases.setdefault(row.case_code, Owed(row.case_code))
        case.card_number = str((row.facts or {}).get("card_number", case.card_number))
        for account, amount in row.moved.items():
            case.fen[account] = case.fen.get(account, 0) + amount
            case.last_act = row.act
    return [case for case in cases.values() if case.anything]


def _unwrapped(periods: Mapping[str, str], custodians: RSAPrivateKey) -> Iterator[tuple[str, AESGCM]]:
    for period, wrapped in periods.items():
        try:
            yield period, AESGCM(custodians.decrypt(base64.b64decode(wrapped), OAEP))
        except ValueError:
            continue


def _facts(row: Row, keys: Mapping[str, AESGCM]) -> dict[str, str | int] | None:
    if row.period not in keys:
        return None
    sealed = base64.b64decode(row.sealed)
    try:
        clear = keys[row.period].decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], str(row.seq).encode())
    except (InvalidTag, ValueError):
        return None
    facts: dict[str, str | int] = json.loads(clear)
    return facts
