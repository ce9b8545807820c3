"""Requests and answers of the hospital interface, ``docs/hosts/hospital.yaml``. No IO.

INVENTED: hospitals' systems have no common interface; an adapter in front of a real one translates. Numbers of people
and cards, and keys of claims, travel in bodies only: paths end in logs.
"""

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any

import msgspec

from kiosk.domain.card import CardIdentity, Holder
from kiosk.domain.money import Fen
from kiosk.domain.settlement import (
    Admission,
    BillLine,
    Claim,
    Debt,
    InvoiceCode,
    MedicalBill,
    PaidBy,
    Settlement,
    UndoneDeposit,
    UndonePayment,
)
from kiosk.hosts.shape import BadShape, Part, read

BILLS_PATH = "/v1/unpaid-bills"
CLAIMS_PATH = "/v1/claims"
EXTEND_PATH = "/v1/claims/extend"
RELEASE_PATH = "/v1/claims/release"
PAYMENTS_PATH = "/v1/payments"
UNDONE_PATH = "/v1/payments/undone"
ADMISSION_PATH = "/v1/admission"
DEPOSITS_PATH = "/v1/deposits"
DEPOSIT_UNDONE_PATH = "/v1/deposits/undone"
DEBTS_PATH = "/v1/debts"
DEBTS_OF_CARD_PATH = "/v1/debts/of-card"
RESERVE_PATH = "/v1/debts/reserve"
CONFIRM_PATH = "/v1/debts/confirm"
GIVE_BACK_PATH = "/v1/debts/give-back"
BY_CARD = "bank_card"
MEANS = ("cash", BY_CARD, "account")

_Amount = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
_Word = Annotated[str, msgspec.Meta(max_length=120)]
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
_Quantity = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,8}(\.[0-9]{1,4})?$")]
_Address = Annotated[str, msgspec.Meta(pattern=r"^https://[!-~]+$", max_length=300)]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Line(Part):
    name: _Word
    quantity: _Quantity
    amount_fen: _Amount


class _Bill(Part):
    bill_id: _Id
    department: _Word
    visited_on: date
    total_fen: _Amount
    lines: Annotated[list[_Line], msgspec.Meta(min_length=1, max_length=500)]
    visit_number: _Id
    batch_number: _Id
    medical_kind: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2,6}$")]
    own_expense_fen: _Amount
    over_limit_fen: _Amount
    first_self_pay_fen: _Amount
    in_scope_fen: _Amount


class _Bills(Part):
    bills: Annotated[list[_Bill], msgspec.Meta(max_length=200)]


class _Claim(Part):
    bill_id: _Id
    leased_until: _Moment


class _Invoice(Part):
    invoice_code: Annotated[str, msgspec.Meta(max_length=60)]
    invoice_address: _Address


class _Stay(Part):
    number: _Id
    department: _Word
    admitted_on: date
    deposited_fen: _Amount


class _Admission(Part):
    admission: _Stay | None


class _Deposited(Part):
    receipt_number: _Id


class _Debt(Part):
    voucher_number: _Id
    amount_fen: _Amount
    reason: _Word
    reserved_until: _Moment | None = None


class _Debts(Part):
    debts: Annotated[list[_Debt], msgspec.Meta(max_length=200)]


def bills_question(card: CardIdentity, holder: Holder) -> dict[str, Any]:
    """Body of ``POST /v1/unpaid-bills``."""
    return _who(card, holder)


def unpaid_bills(body: Any) -> tuple[MedicalBill, ...]:
    """Answer of ``POST /v1/unpaid-bills``, newest visit first.

    Raises:
        BadShape: also when a bill's lines or classes do not make its total: such a bill is nobody's to pay.
    """
    bills = (_bill(one) for one in read(body, _Bills).bills)
    return tuple(sorted(bills, key=lambda bill: bill.visited_on, reverse=True))


def claim_question(bill_id: str) -> dict[str, Any]:
    """Body of ``POST /v1/claims``; the lease key is the Idempotency-Key."""
    return {"bill_id": bill_id}


def held_question(claim: Claim) -> dict[str, Any]:
    """Body of ``POST /v1/claims/release``."""
    return {"bill_id": claim.bill_id, "lease_key": claim.lease_key}


def extension(claim: Claim, *, settling: bool) -> dict[str, Any]:
    """Body of ``POST /v1/claims/extend``."""
    return {**held_question(claim), "settling": settling}


def claim(body: Any, bill_id: str, lease_key: str) -> Claim:
    """Answer of ``POST /v1/claims`` and ``/extend``. Raises BadShape: also for another bill."""
    told = read(body, _Claim)
    if told.bill_id != bill_id:
        raise BadShape("another bill")
    return Claim(bill_id, lease_key, told.leased_until)


def done(body: Any) -> None:
    """Answer of acts that give nothing back: ``{"done": true}``. Raises BadShape."""
    if not isinstance(body, dict) or body.get("done") is not True:
        raise BadShape("not done")


def payment_notice(held: Claim, settlement: Settlement, means: str) -> dict[str, Any]:
    """Body of ``POST /v1/payments``."""
    assert means in MEANS, means
    split = settlement.split
    return {
        **held_question(held),
        "settlement_id": settlement.settlement_id,
        "message_id": settlement.message_id,
        "visit_number": settlement.visit_number,
        "means": means,
        "total_fen": split.total_fen,
        "fund_fen": split.fund_fen,
        "account_fen": split.account_fen,
        "shared_account_fen": split.shared_account_fen,
        "cash_fen": split.cash_fen,
        "hospital_fen": split.hospital_fen,
    }


def invoice(body: Any) -> InvoiceCode:
    """Answer of ``POST /v1/payments``. Raises BadShape."""
    told = read(body, _Invoice)
    return InvoiceCode(told.invoice_code, told.invoice_address)


def admission_question(card: CardIdentity, holder: Holder) -> dict[str, Any]:
    """Body of ``POST /v1/admission``."""
    return _who(card, holder)


def admission(body: Any) -> Admission | None:
    """Answer of ``POST /v1/admission``. Raises BadShape."""
    stay = read(body, _Admission).admission
    if stay is None:
        return None
    return Admission(stay.number, stay.department, stay.admitted_on, Fen(stay.deposited_fen))


def deposit_question(
    card: CardIdentity, holder: Holder, admission: str, amount_fen: Fen, paid_by: PaidBy
) -> dict[str, Any]:
    """Body of ``POST /v1/deposits``."""
    about = {**_who(card, holder), "admission": admission, "amount_fen": amount_fen, "means": paid_by.means}
    if paid_by.means != BY_CARD:
        return about
    bank = {name: value for name, value in asdict(paid_by).items() if name != "means"}
    return {**about, "bank": bank}


def undone_deposit(undone: UndoneDeposit) -> dict[str, Any]:
    """Body of ``POST /v1/deposits/undone``."""
    return asdict(undone)


def told_by(body: dict[str, Any], terminal_id: str) -> dict[str, Any]:
    """An act with the terminal that tells it, by which details find it again; "" leaves it to the certificate."""
    return {**body, "terminal_id": terminal_id} if terminal_id else body


def receipt_number(body: Any) -> str:
    """Answer of ``POST /v1/deposits``. Raises BadShape."""
    return read(body, _Deposited).receipt_number


def undone_notice(undone: UndonePayment) -> dict[str, Any]:
    """Body of ``POST /v1/payments/undone``."""
    return {
        "bill_id": undone.bill_id,
        "settlement_id": undone.settlement_id,
        "message_id": undone.message_id,
        "total_fen": undone.total_fen,
        "cash_fen": undone.cash_fen,
    }


def debt_registration(card: CardIdentity, amount_fen: Fen, reason: str) -> dict[str, Any]:
    """Body of ``POST /v1/debts``."""
    return {"card_number": card.card_number, "amount_fen": amount_fen, "reason": reason}


def debts_question(card: CardIdentity) -> dict[str, Any]:
    """Body of ``POST /v1/debts/of-card``."""
    return {"card_number": card.card_number}


def voucher_question(debt: Debt) -> dict[str, Any]:
    """Body of ``POST /v1/debts/reserve`` and ``/give-back``."""
    return {"voucher_number": debt.voucher_number}


def confirmation(debt: Debt, paid_fen: Fen) -> dict[str, Any]:
    """Body of ``POST /v1/debts/confirm``."""
    return {"voucher_number": debt.voucher_number, "paid_fen": paid_fen}


def debt(body: Any) -> Debt:
    """Answer of ``POST /v1/debts`` and ``/reserve``. Raises BadShape."""
    return _debt(read(body, _Debt))


def debts(body: Any) -> tuple[Debt, ...]:
    """Answer of ``POST /v1/debts/of-card``. Raises BadShape."""
    return tuple(_debt(one) for one in read(body, _Debts).debts)


def _who(card: CardIdentity, holder: Holder) -> dict[str, Any]:
    return {
        "card_number": card.card_number,
        "identification_code": card.identification_code.hex(),
        "social_security_number": holder.social_security_number,
    }


def _bill(told: _Bill) -> MedicalBill:
    classes = told.own_expense_fen + told.over_limit_fen + told.first_self_pay_fen + told.in_scope_fen
    if told.total_fen != sum(line.amount_fen for line in told.lines) or told.total_fen != classes:
        raise BadShape("a bill that does not add up")
    return MedicalBill(
        bill_id=told.bill_id,
        department=told.department,
        visited_on=told.visited_on,
        total_fen=Fen(told.total_fen),
        lines=tuple(BillLine(line.name, line.quantity, Fen(line.amount_fen)) for line in told.lines),
        visit_number=told.visit_number,
        batch_number=told.batch_number,
        medical_kind=told.medical_kind,
        own_expense_fen=Fen(told.own_expense_fen),
        over_limit_fen=Fen(told.over_limit_fen),
        first_self_pay_fen=Fen(told.first_self_pay_fen),
        in_scope_fen=Fen(told.in_scope_fen),
    )


def _debt(told: _Debt) -> Debt:
    return Debt(told.voucher_number, Fen(told.amount_fen), told.reason, told.reserved_until)
