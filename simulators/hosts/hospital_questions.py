"""What terminals may ask of the hospital, ``docs/hosts/hospital.yaml``."""

from datetime import date
from typing import Annotated, Literal

import msgspec

from simulators.hosts.sandbox import Part

_CardNumber = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Z]{9}$")]
_IdentificationCode = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$")]
_PersonNumber = Annotated[str, msgspec.Meta(max_length=18)]
_BillId = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Z-]{2,20}$")]
_Key = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{4,64}$")]
_Amount = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
_Payable = Annotated[int, msgspec.Meta(ge=1, le=10**12)]
_Voucher = Annotated[str, msgspec.Meta(pattern=r"^QK[0-9]{8}$")]
_Word = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
_TerminalId = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_-]{1,40}$")]
_MaybeTerminalId = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_-]{0,40}$")]
_Digits = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}$")]
UNSAID: Literal[""] = ""  # by a terminal of before 1.1.0


class Who(Part):
    card_number: _CardNumber
    identification_code: _IdentificationCode
    social_security_number: _PersonNumber


class ClaimAsked(Part):
    bill_id: _BillId


class Held(Part):
    bill_id: _BillId
    lease_key: _Key


class Extended(Held):
    settling: bool


class Paid(Held):
    settlement_id: _Word
    message_id: _Word
    visit_number: _Word
    means: Literal["cash", "bank_card", "account"]
    total_fen: _Amount
    fund_fen: _Amount
    account_fen: _Amount
    shared_account_fen: _Amount
    cash_fen: _Amount
    hospital_fen: _Amount


class Undone(Part):
    bill_id: _BillId
    settlement_id: _Word
    message_id: _Word
    total_fen: _Amount
    cash_fen: _Amount


class Purchase(Part):
    batch_number: _Digits
    trace_number: _Digits
    reference: Annotated[str, msgspec.Meta(max_length=12)]
    authorization: Annotated[str, msgspec.Meta(max_length=6)]
    paid_on: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{4})?$")]


class DepositAsked(Who):
    admission: _Word
    amount_fen: _Payable
    terminal_id: _MaybeTerminalId = UNSAID
    means: Literal["cash", "bank_card", ""] = UNSAID
    bank: Purchase | None = None


class DepositUndone(Part):
    deposit_key: _Key
    admission: _Word
    amount_fen: _Payable
    terminal_id: _MaybeTerminalId = UNSAID


class Owed(Part):
    card_number: _CardNumber
    amount_fen: _Payable
    reason: _Word
    terminal_id: _MaybeTerminalId = UNSAID


class OfCard(Part):
    card_number: _CardNumber


class DetailAsked(Part):
    terminal_id: _TerminalId
    first_day: date
    last_day: date


class StatementAsked(Part):
    day: date
    serial_first: Annotated[int, msgspec.Meta(ge=0, le=9999)]
    serial_last: Annotated[int, msgspec.Meta(ge=0, le=9999)]


class BankStatementAsked(Part):
    day: date
    terminal_id: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z]{8}$")]


class AboutVoucher(Part):
    voucher_number: _Voucher


class Reserved(AboutVoucher):
    terminal_id: _MaybeTerminalId = UNSAID


class Confirmed(AboutVoucher):
    paid_fen: _Amount
