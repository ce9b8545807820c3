"""What the agency keeps for an insured person: five insurances, account, contributions, benefits."""

from dataclasses import dataclass
from datetime import date
from enum import Enum

from kiosk.domain.money import Fen


class Insurance(Enum):
    PENSION = "pension"
    MEDICAL = "medical"
    UNEMPLOYMENT = "unemployment"
    INJURY = "injury"
    MATERNITY = "maternity"


class InsuranceState(Enum):
    IN_FORCE = "in_force"
    PAUSED = "paused"
    ENDED = "ended"
    RECEIVING = "receiving"  # nothing is paid in any more, because the benefit is paid out
    NOT_INSURED = "not_insured"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class InsuranceStatus:
    insurance: Insurance
    state: InsuranceState
    since: date | None
    contributed_months: int


@dataclass(frozen=True)
class PersonalAccount:
    """Balances of one person's personal accounts."""

    medical_fen: Fen
    pension_fen: Fen
    as_of: date


@dataclass(frozen=True)
class Contribution:
    """One month of one insurance. Shares in fen."""

    month: str  # "2026-10"
    insurance: Insurance
    base_fen: Fen
    personal_fen: Fen
    employer_fen: Fen
    arrived: bool


@dataclass(frozen=True)
class BenefitPayment:
    paid_on: date
    kind: str  # wording of the agency, e.g. 基本养老金
    amount_fen: Fen
    account_tail: str  # last four digits of the receiving account


@dataclass(frozen=True)
class AccountOverview:
    insurances: tuple[InsuranceStatus, ...]
    account: PersonalAccount
    contributions: tuple[Contribution, ...]  # newest first, 13 months
    benefits: tuple[BenefitPayment, ...]  # newest first
