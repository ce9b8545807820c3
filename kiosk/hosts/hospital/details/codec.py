"""Details that the hospital gives once a day is over, ``docs/hosts/hospital.yaml``. No IO. INVENTED in form."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

import msgspec

from kiosk.domain.money import Fen
from kiosk.domain.settlement import StatementRow
from kiosk.domain.statement import BankRow, DebtActRow, DepositRow
from kiosk.hosts.shape import BadShape, Part, read

STATEMENT_PATH = "/v1/statement"
BANK_STATEMENT_PATH = "/v1/bank-statement"
DEPOSITS_DETAIL_PATH = "/v1/deposits/detail"
DEBTS_DETAIL_PATH = "/v1/debts/detail"
ROWS_MAX = 20_000

Days = tuple[date, date]
_Amount = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
_Signed = Annotated[int, msgspec.Meta(ge=-(10**12), le=10**12)]
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
_Key = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{4,64}$")]
_Digits = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}$")]


class _StatementRow(Part):
    message_id: _Id
    settlement_id: _Id
    visit_number: _Id
    agrees: bool
    undoing: bool
    total_fen: _Signed
    fund_fen: _Signed
    account_fen: _Signed


class _Statement(Part):
    day: date
    rows: Annotated[list[_StatementRow], msgspec.Meta(max_length=ROWS_MAX)]


class _BankRow(Part):
    batch_number: _Digits
    trace_number: _Digits
    kind: Literal["purchase", "void", "refund"]
    amount_fen: _Amount
    reference: Annotated[str, msgspec.Meta(max_length=12)]
    state: Literal["booked", "reversed", "voided", "refunded"]


class _BankStatement(Part):
    day: date
    rows: Annotated[list[_BankRow], msgspec.Meta(max_length=ROWS_MAX)]


class _DepositRow(Part):
    act: Literal["credited", "undone"]
    key: _Key
    admission: _Id
    amount_fen: _Amount
    means: Literal["cash", "bank_card"]
    receipt_number: _Id
    booked_on: date


class _DepositsDetail(Part):
    first_day: date
    last_day: date
    rows: Annotated[list[_DepositRow], msgspec.Meta(max_length=ROWS_MAX)]


class _DebtActRow(Part):
    act: Literal["registered", "reserved", "paid", "given_back"]
    key: _Key
    voucher_number: _Id
    amount_fen: _Amount
    booked_on: date


class _DebtsDetail(Part):
    first_day: date
    last_day: date
    rows: Annotated[list[_DebtActRow], msgspec.Meta(max_length=ROWS_MAX)]


def statement_question(day: date, serial_first: int, serial_last: int) -> dict[str, Any]:
    """Body of ``POST /v1/statement``: only the acts of this terminal's share of serials."""
    return {"day": day.isoformat(), "serial_first": serial_first, "serial_last": serial_last}


def statement(body: Any, day: date) -> tuple[StatementRow, ...]:
    """Answer of ``POST /v1/statement``. Raises BadShape: also for another day."""
    told = read(body, _Statement)
    if told.day != day:
        raise BadShape("another day")
    return tuple(
        StatementRow(
            row.message_id,
            row.settlement_id,
            row.visit_number,
            row.agrees,
            row.undoing,
            Fen(row.total_fen),
            Fen(row.fund_fen),
            Fen(row.account_fen),
        )
        for row in told.rows
    )


def bank_statement_question(day: date, terminal_id: str) -> dict[str, Any]:
    """Body of ``POST /v1/bank-statement``."""
    return {"day": day.isoformat(), "terminal_id": terminal_id}


def bank_statement(body: Any, day: date) -> tuple[BankRow, ...]:
    """Answer of ``POST /v1/bank-statement``. Raises BadShape: also for another day."""
    told = read(body, _BankStatement)
    if told.day != day:
        raise BadShape("another day")
    return tuple(
        BankRow(row.batch_number, row.trace_number, row.kind, Fen(row.amount_fen), row.reference, row.state)
        for row in told.rows
    )


def detail_question(days: Days, terminal_id: str) -> dict[str, Any]:
    """Body of ``POST /v1/deposits/detail`` and ``/v1/debts/detail``."""
    first, last = days
    return {"terminal_id": terminal_id, "first_day": first.isoformat(), "last_day": last.isoformat()}


def deposits_detail(body: Any, days: Days) -> tuple[DepositRow, ...]:
    """Answer of ``POST /v1/deposits/detail``. Raises BadShape: also for other days, and a key that comes twice."""
    told = read(body, _DepositsDetail)
    _must_be_of(days, told, [row.key for row in told.rows])
    return tuple(
        DepositRow(row.act, row.key, row.admission, Fen(row.amount_fen), row.means, row.receipt_number, row.booked_on)
        for row in told.rows
    )


def debts_detail(body: Any, days: Days) -> tuple[DebtActRow, ...]:
    """Answer of ``POST /v1/debts/detail``. Raises BadShape: also for other days, and a key that comes twice."""
    told = read(body, _DebtsDetail)
    _must_be_of(days, told, [row.key for row in told.rows])
    return tuple(
        DebtActRow(row.act, row.key, row.voucher_number, Fen(row.amount_fen), row.booked_on) for row in told.rows
    )


def _must_be_of(days: Days, told: _DepositsDetail | _DebtsDetail, keys: Sequence[str]) -> None:
    if (told.first_day, told.last_day) != days or any(not days[0] <= row.booked_on <= days[1] for row in told.rows):
        raise BadShape("other days")
    if len(set(keys)) < len(keys):
        raise BadShape("a key that comes twice")
