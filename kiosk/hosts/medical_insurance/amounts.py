"""The amounts of setlinfo and the identities between them. The platform's figures are the truth; these only tell when
they contradict each other (money-rules 12). No IO.

Source of the identities: recorded answers of the platform, recomputed (tests/hosts/test_medical_amounts.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kiosk.domain.money import Fen

# Rows of setldetail that no fund pays: personal account (310200, 310201 ...), hospital and others (999996, 999997).
_NO_FUND = ("3102", "9999")


@dataclass(frozen=True)
class Amounts:
    """One setlinfo in fen. None is "not given": cancellations leave some out, and null is not nothing."""

    total: Fen  # medfee_sumamt
    fund: Fen | None = None  # fund_pay_sumamt
    account: Fen | None = None  # acct_pay
    cash: Fen | None = None  # psn_cash_pay
    person: Fen | None = None  # psn_part_amt
    hospital: Fen | None = None  # hosp_part_amt
    shared_account: Fen | None = None  # acct_mulaid_pay
    balance_after: Fen | None = None  # balc
    by_class: tuple[Fen | None, ...] = ()  # fulamt_ownpay_amt, overlmt_selfpay, preselfpay_amt, inscp_scp_amt
    by_fund: tuple[Fen | None, ...] = ()  # hifp_pay, cvlserv_pay, hifes_pay, hifmi_pay, hifob_pay, maf_pay, ...


@dataclass(frozen=True)
class FundRow:
    """One row of setldetail."""

    kind: str  # fund_pay_type
    amount: Fen


def disagreements(amounts: Amounts, rows: Sequence[FundRow], tolerance_fen: int) -> tuple[str, ...]:
    """Names of the identities that do not hold; an identity of which a part was not given is not judged."""
    sums = {
        "classes_make_total": (amounts.total, _all(amounts.by_class)),
        "funds_make_fund": (amounts.fund, _given(amounts.by_fund)),
        "rows_make_fund": (amounts.fund, _fund_of(rows)),
        "parts_make_total": (amounts.total, _all((amounts.fund, amounts.person, amounts.hospital))),
        "means_make_person": (amounts.person, _means(amounts)),
    }
    return tuple(name for name, (whole, parts) in sums.items() if _differ(whole, parts, tolerance_fen))


def balance_disagrees(before: Fen, amounts: Amounts, tolerance_fen: int) -> bool:
    """balc(after) = balc(before, of 1101) - acct_pay."""
    if amounts.account is None:
        return False
    return _differ(amounts.balance_after, before - amounts.account, tolerance_fen)


def _differ(whole: int | None, parts: int | None, tolerance_fen: int) -> bool:
    return whole is not None and parts is not None and abs(whole - parts) > tolerance_fen


def _all(parts: Sequence[Fen | None]) -> int | None:
    """The sum, if every part was given."""
    given = [part for part in parts if part is not None]
    return sum(given) if given and len(given) == len(parts) else None


def _given(parts: Sequence[Fen | None]) -> int | None:
    """The sum of what was given: which funds exist differs by region and version."""
    given = [part for part in parts if part is not None]
    return sum(given) if given else None


def _fund_of(rows: Sequence[FundRow]) -> int | None:
    return sum(row.amount for row in rows if not row.kind.startswith(_NO_FUND)) if rows else None


def _means(amounts: Amounts) -> int | None:
    """Account and cash; family money counts where acct_pay does not contain it already."""
    plain = _all((amounts.account, amounts.cash))
    if plain is None or amounts.shared_account is None or plain == amounts.person:
        return plain
    return plain + amounts.shared_account
