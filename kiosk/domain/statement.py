"""Acts as two sides keep them, reduced to what can be compared; and rows of the bank's and the hospital's files."""

from dataclasses import dataclass
from datetime import date
from enum import Enum

from kiosk.domain.money import Fen


class Standing(Enum):
    DONE = "done"  # booked, as far as this side knows
    UNDONE = "undone"  # surely not booked, or taken away as if it had never been
    OPEN = "open"  # this side does not know


@dataclass(frozen=True)
class Act:
    """One act in one side's books. ``key`` names it to both sides.

    ``amounts``: in the one order that both sides use, or () where this side does not know them. ``undoing``: a void,
    an act of its own beside what it undoes. ``about``: what it is about (the visit), to tell whom a void hits.
    """

    key: str
    standing: Standing
    amounts: tuple[Fen, ...] = ()
    undoing: bool = False
    about: str = ""
    case_code: str = ""
    agreed: bool = True  # whether a third side, the hospital, says the same


class Difference(Enum):
    """Values are stored for years: never rename one."""

    THERE_NOT_HERE = "there_not_here"
    HERE_NOT_THERE = "here_not_there"
    AMOUNTS_DIFFER = "amounts_differ"
    UNDONE_THERE = "undone_there"
    TWICE_THERE = "twice_there"
    HOSPITAL_DIFFERS = "hospital_differs"
    COUNT_DIFFERS = "count_differs"


@dataclass(frozen=True)
class Finding:
    """One difference. ``ours``, ``theirs``: the sums that each side names, where it names any. ``side``: with whom."""

    key: str
    difference: Difference
    case_code: str = ""
    ours_fen: Fen | None = None
    theirs_fen: Fen | None = None
    side: str = ""  # platform | bank | deposits | debts | contributions | device


@dataclass(frozen=True)
class Comparison:
    """``agree``: how many of our acts the other side has just so. ``open``: how many wait for proof."""

    agree: int
    open: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class BankRow:
    """One act of this terminal in the acquirer's file of a day.

    ``kind``: purchase | void | refund. ``state``: booked | reversed | voided | refunded.
    """

    batch_number: str
    trace_number: str
    kind: str
    amount_fen: Fen
    reference: str
    state: str


@dataclass(frozen=True)
class DepositRow:
    """One act of this terminal in the hospital's books of inpatient deposits. ``key``: the one it was told under.

    ``act``: credited | undone (given back to its holder).
    """

    act: str
    key: str
    admission: str
    amount_fen: Fen
    means: str  # cash | bank_card
    receipt_number: str
    booked_on: date


@dataclass(frozen=True)
class ContributionRow:
    """One contribution of this terminal that the agency credited. ``key``: the one it was told under."""

    key: str
    number: str
    amount_fen: Fen
    booked_on: date


@dataclass(frozen=True)
class DebtActRow:
    """One act of this terminal in the register of debts.

    ``act``: registered | reserved (and not ended) | paid (confirmed) | given_back. ``key``: of the registration, or of
    the payout that reserved, and paid or gave back.
    """

    act: str
    key: str
    voucher_number: str
    amount_fen: Fen
    booked_on: date
