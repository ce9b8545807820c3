"""Who pays what of a bill: deductible, ceiling and ratio by scheme and hospital, the account only for employees.

The figures are INVENTED; their shape (起付线, 封顶线, 报销比例 by 医院等级, lower elsewhere) is that of every region.
Amounts are fen.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from simulators.worlds.world import BillEntry, BillLineEntry

EMPLOYEES, RESIDENTS = "310", "390"
FIRST_SELF_PAY = Decimal("0.1")  # of a shared (乙) item
ELSEWHERE = Decimal("0.10")  # points less for who is insured in another place


@dataclass(frozen=True)
class Scheme:
    """``ratio``: what the fund pays above the deductible, by level of the hospital."""

    insutype: str
    fund_row: str  # fund_pay_type of its pooled fund
    deductible_fen: int  # a person and year
    ceiling_fen: int  # of the fund, a person and year
    ratio: dict[int, Decimal]
    has_account: bool


SCHEMES = {
    EMPLOYEES: Scheme(
        EMPLOYEES, "310100", 10_000, 2_000_000, {1: Decimal("0.70"), 2: Decimal("0.60"), 3: Decimal("0.50")}, True
    ),
    RESIDENTS: Scheme(
        RESIDENTS, "390100", 5_000, 60_000, {1: Decimal("0.60"), 2: Decimal("0.50"), 3: Decimal("0.40")}, False
    ),
}


@dataclass(frozen=True)
class Classes:
    """A bill's total by what the insurance thinks of its lines (result of 2204)."""

    own_expense: int  # fulamt_ownpay_amt
    over_limit: int  # overlmt_selfpay
    first_self_pay: int  # preselfpay_amt
    in_scope: int  # inscp_scp_amt

    @property
    def total(self) -> int:
        return self.own_expense + self.over_limit + self.first_self_pay + self.in_scope


@dataclass(frozen=True)
class Year:
    """What a person used up this year before this bill, and what their account holds."""

    deductible_used: int
    fund_used: int
    balance: int


@dataclass(frozen=True)
class Parts:
    """Everybody's part. ``deductible`` is what this bill uses up of it (act_pay_dedc)."""

    classes: Classes
    deductible: int
    ratio: Decimal
    fund: int
    account: int
    cash: int
    balance_after: int

    @property
    def person(self) -> int:
        return self.account + self.cash


def classes_of(bill: BillEntry) -> Classes:
    """What the platform told the hospital about the lines when they were uploaded."""
    each = [_classes_of_line(line) for line in bill.lines]
    return Classes(
        sum(one.own_expense for one in each),
        sum(one.over_limit for one in each),
        sum(one.first_self_pay for one in each),
        sum(one.in_scope for one in each),
    )


def split(scheme: Scheme, classes: Classes, year: Year, level: int, *, elsewhere: bool, use_account: bool) -> Parts:
    """The split of one bill."""
    ratio = scheme.ratio[level] - (ELSEWHERE if elsewhere else 0)
    deductible = min(classes.in_scope, max(0, scheme.deductible_fen - year.deductible_used))
    fund = min(_rounded((classes.in_scope - deductible) * ratio), max(0, scheme.ceiling_fen - year.fund_used))
    person = classes.total - fund
    account = min(year.balance, person) if use_account and scheme.has_account else 0
    balance = year.balance - account if scheme.has_account else 0
    return Parts(classes, deductible, ratio, fund, account, person - account, balance)


def _classes_of_line(line: BillLineEntry) -> Classes:
    if line.kind == "own":
        return Classes(line.amount_fen, 0, 0, 0)
    within = line.amount_fen - line.over_limit_fen
    first = _rounded(within * FIRST_SELF_PAY) if line.kind == "shared" else 0
    return Classes(0, line.over_limit_fen, first, within - first)


def _rounded(fen: Decimal) -> int:
    return int(fen.quantize(Decimal(1), ROUND_HALF_UP))
