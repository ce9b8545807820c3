"""Receipts that wait for their holders, and records of those that came out. No IO. INVENTED in form.

``docs/hosts/hospital.yaml``; the records also ``docs/hosts/social_insurance.yaml``.
"""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

import msgspec

from kiosk.domain.card import CardIdentity
from kiosk.domain.money import Fen
from kiosk.domain.receipt import ReceiptRecord
from kiosk.domain.settlement import HeldReceipt
from kiosk.hosts.shape import Part, read

HOLD_PATH = "/v1/receipts"
OF_CARD_PATH = "/v1/receipts/of-card"
TAKE_PATH = "/v1/receipts/take"
RECORDS_PATH = "/v1/receipts/records"
SHOWN_MAX = 60

_Amount = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class _Receipt(Part):
    terminal_id: _Id
    case_code: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}$")]
    settled_on: date
    department: Annotated[str, msgspec.Meta(max_length=120)]
    settlement_id: _Id
    total_fen: _Amount
    fund_fen: _Amount
    account_fen: _Amount
    shared_account_fen: _Amount
    cash_fen: _Amount
    owed_fen: _Amount


class _Held(Part):
    key: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{4,64}$")]
    receipt: _Receipt


class _Receipts(Part):
    receipts: Annotated[list[_Held], msgspec.Meta(max_length=SHOWN_MAX)]


def registration(card: CardIdentity, receipt: HeldReceipt) -> dict[str, Any]:
    """Body of ``POST /v1/receipts``; its key travels beside it."""
    told = asdict(receipt) | {"settled_on": receipt.settled_on.isoformat()}
    told.pop("key")
    return {"card_number": card.card_number, "receipt": told}


def of_card_question(card: CardIdentity) -> dict[str, Any]:
    return {"card_number": card.card_number}


def taking(receipt_key: str) -> dict[str, Any]:
    return {"receipt_key": receipt_key}


def keeping(card: CardIdentity, record: ReceiptRecord) -> dict[str, Any]:
    """Body of ``POST /v1/receipts/records``; its key travels beside it."""
    return {"card_number": card.card_number, "record": asdict(record)}


def held_receipts(body: Any) -> tuple[HeldReceipt, ...]:
    """Answer of ``POST /v1/receipts/of-card``. Raises BadShape."""
    return tuple(_held(one) for one in read(body, _Receipts).receipts)


def _held(one: _Held) -> HeldReceipt:
    told = one.receipt
    amounts = (told.total_fen, told.fund_fen, told.account_fen, told.shared_account_fen, told.cash_fen, told.owed_fen)
    return HeldReceipt(
        one.key,
        told.terminal_id,
        told.case_code,
        told.settled_on,
        told.department,
        told.settlement_id,
        *(Fen(amount) for amount in amounts),
    )
