"""The identities between amounts, on recorded answers of the platform and on made-up ones.

Source of the records: openhis (newtouch-cloud/openhis, commit ffa7e660, YiBaoInterface/ClassHelper.cs, about lines
549-597): figures only, of one outpatient, one inpatient and two cancellations.
"""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.money import Fen
from kiosk.hosts.medical_insurance.amounts import Amounts, FundRow, balance_disagrees, disagreements
from kiosk.hosts.medical_insurance.codec import amounts_of
from kiosk.hosts.medical_insurance.envelope import yuan_number


def node(rows: dict[str, str], **amounts: str | None) -> dict[str, Any]:
    info: dict[str, Any] = {name: None if text is None else Decimal(text) for name, text in amounts.items()}
    info |= {"mdtrt_id": "M1", "psn_no": "P1", "setl_id": "S1"}
    detail = [{"fund_pay_type": kind, "fund_payamt": Decimal(amount)} for kind, amount in rows.items()]
    return {"setlinfo": info, "setldetail": detail}


OUTPATIENT = node(
    {"310201": "4.52"},
    medfee_sumamt="4.52", fulamt_ownpay_amt="0", overlmt_selfpay="0.0", preselfpay_amt="0.23", inscp_scp_amt="4.29",
    hifp_pay="0", hifob_pay="0", fund_pay_sumamt="0", psn_part_amt="4.52", acct_pay="4.52", psn_cash_pay="0",
    hosp_part_amt="0", balc="1373.63",
)  # fmt: skip
INPATIENT = node(
    {"330101": "18785.39", "999996": "505.01", "310201": "170.04"},
    medfee_sumamt="23442.46", fulamt_ownpay_amt="2533.97", overlmt_selfpay="1396.89", preselfpay_amt="703.44",
    inscp_scp_amt="18808.16", hifp_pay="0", hifob_pay="18785.39", fund_pay_sumamt="18785.39",
    psn_part_amt="4152.06", acct_pay="170.04", psn_cash_pay="3982.02", hosp_part_amt="505.01",
)  # fmt: skip
CANCELLATION = node(
    {"330101": "-2039.39", "999997": "-32.86"},
    medfee_sumamt="-3379.26", hifob_pay="-2039.39", fund_pay_sumamt="-2039.39", psn_part_amt=None, hosp_part_amt=None,
    acct_mulaid_pay=None, acct_pay="0", psn_cash_pay="-1307.01",
)  # fmt: skip


@pytest.mark.parametrize("recorded", [OUTPATIENT, INPATIENT, CANCELLATION])
def test_recorded_answers_hold(recorded: dict[str, Any]) -> None:
    """Every identity holds in what the real platform answered, without any tolerance."""
    amounts, rows = amounts_of(recorded)
    assert disagreements(amounts, rows, 0) == ()


def test_null_is_not_nothing() -> None:
    """A cancellation leaves the person's and the hospital's part out; the identities that need them are not judged."""
    amounts, rows = amounts_of(CANCELLATION)
    assert (amounts.person, amounts.hospital, amounts.shared_account) == (None, None, None)
    assert amounts.total == -337926
    hospital = sum(row.amount for row in rows if row.kind.startswith("9999"))
    assert amounts.total == (amounts.fund or 0) + (amounts.cash or 0) + hospital


def test_balance_follows_the_account() -> None:
    """Recorded: 1378.15 before, 4.52 paid, 1373.63 after."""
    amounts, _ = amounts_of(OUTPATIENT)
    assert not balance_disagrees(Fen(137815), amounts, 0)
    assert balance_disagrees(Fen(137816), amounts, 0)


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"inscp_scp_amt": "18808.17"}, "classes_make_total"),
        ({"hifob_pay": "18785.00"}, "funds_make_fund"),
        ({"psn_part_amt": "4152.07", "psn_cash_pay": "3982.03"}, "parts_make_total"),
        ({"psn_cash_pay": "3982.00"}, "means_make_person"),
    ],
)
def test_each_violation_has_its_name(change: dict[str, str], broken: str) -> None:
    """One altered figure breaks the identity that it belongs to, and only that one."""
    altered = {**INPATIENT, "setlinfo": INPATIENT["setlinfo"] | {name: Decimal(text) for name, text in change.items()}}
    amounts, rows = amounts_of(altered)
    assert disagreements(amounts, rows, 0) == (broken,)


def test_fund_rows_leave_out_account_and_hospital() -> None:
    """Rows 310200, 310201, 999996 and 999997 are nobody's fund; any other row is."""
    amounts, _ = amounts_of(INPATIENT)
    rows = [FundRow("330101", Fen(1878539)), *(FundRow(kind, Fen(77)) for kind in ("310200", "310201", "999997"))]
    assert disagreements(amounts, rows, 0) == ()
    assert disagreements(amounts, [*rows, FundRow("310100", Fen(1))], 0) == ("rows_make_fund",)


def test_tolerance_is_regional() -> None:
    """A difference as large as the tolerance passes; one fen more does not."""
    amounts = Amounts(Fen(1000), fund=Fen(0), person=Fen(997), hospital=Fen(0))
    assert disagreements(amounts, (), 3) == ()
    assert disagreements(amounts, (), 2) == ("parts_make_total",)


def test_family_money_counts_once() -> None:
    """Money of the family account counts beside acct_pay or within it, as the platform has it."""
    beside = Amounts(Fen(100), account=Fen(30), shared_account=Fen(20), cash=Fen(50), person=Fen(100))
    within = Amounts(Fen(100), account=Fen(50), shared_account=Fen(20), cash=Fen(50), person=Fen(100))
    assert disagreements(beside, (), 0) == disagreements(within, (), 0) == ()


@given(st.integers(-(10**13), 10**13))
def test_yuan_and_fen_are_exact(fen: int) -> None:
    """Any amount goes out as a number with two decimals and comes back as the same fen: no float in between."""
    sent = yuan_number(fen)
    amounts, _ = amounts_of({"setlinfo": {"mdtrt_id": "M", "psn_no": "P", "medfee_sumamt": Decimal(str(sent))}})
    assert amounts.total == fen
