"""Double-entry books of one terminal: named accounts, and postings that add up to nothing.

Signs: what the terminal holds (escrow, cash box, drums, outlet) is positive; what it owes is negative. Every commit's
postings sum to zero, so the whole book does, at every moment and after every power cut.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from kiosk.domain.money import Fen


class Account(Enum):
    """Where a fen can be. Values are stored for years: never rename one."""

    # Held by the terminal
    ESCROW = "escrow"  # in the acceptor's mouth, still the resident's
    CASH_BOX = "cash_box"
    DRUMS = "drums"  # recycler and cassettes: can be paid out
    OUTLET = "outlet"  # presented, not yet taken
    VAULT = "vault"  # in the safe behind the terminal: what staff carried out, less what they brought in
    # Owed or moved through
    HOSPITAL = "hospital"  # cash collected for the hospital
    HOLDER_DEBT = "holder_debt"  # owed to a holder: change, refunds, notes kept at a power cut
    BANK_CLEARING = "bank_clearing"
    PERSONAL_ACCOUNT = "personal_account"  # paid by the medical personal account
    CONTRIBUTIONS = "contributions"  # received for the agency, not credited yet
    AGENCY = "agency"  # credited: cash collected for the agency
    RESIDENT = "resident"  # the person in front: gives and takes
    # To be explained
    SUSPENSE = "suspense"
    SURPLUS = "surplus"  # 长款
    SHORTAGE = "shortage"  # 短款


@dataclass(frozen=True)
class Posting:
    account: Account
    amount_fen: Fen


class Unbalanced(Exception):
    """Postings that do not sum to zero: a programmer's error, refused before anything is written."""


def balanced(*postings: tuple[Account, int]) -> tuple[Posting, ...]:
    """Postings of one act.

    Raises:
        Unbalanced: they do not add up to zero.
    """
    made = tuple(Posting(account, Fen(amount)) for account, amount in postings)
    if sum(posting.amount_fen for posting in made) != 0:
        raise Unbalanced(str([(posting.account.value, posting.amount_fen) for posting in made]))
    return made


def totals(postings: Iterable[Posting]) -> dict[Account, Fen]:
    """Balance of every account that is not zero."""
    sums: dict[Account, int] = {}
    for posting in postings:
        sums[posting.account] = sums.get(posting.account, 0) + posting.amount_fen
    return {account: Fen(amount) for account, amount in sums.items() if amount}
