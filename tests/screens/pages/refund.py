"""Refunds of a bill, a deposit and of what a card paid for nothing, in the holder's words, with the most money."""

from kiosk.domain.card import CardIdentity, Holder, Sex
from kiosk.domain.entries import StoredEntry
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.settlement import Settlement, Split
from kiosk.money.bank_record import bank_facts
from kiosk.money.hospital_notices import payment_facts
from kiosk.money.refundable import Refund
from kiosk.ports import Question, Visit
from kiosk.ports.money import BankPayment
from kiosk.services import refund_pages as refund
from kiosk.services.money_back import MoneyBack
from tests.flows.people import KioskInMemory
from tests.screens.pages.bill import DEAR
from tests.screens.samples import RARE_NAME

PAYMENT = BankPayment("000001", "000001", "123456789012", "123456", DEAR, "621700******1234", "1121")


def _refund(act: str, **facts: str | int) -> Refund:
    entry = StoredEntry(1, "2026-11-21T10:24:00+08:00", act, "451207", facts, ())
    return Refund(entry, entry)


BILL = _refund(
    "settled",
    **payment_facts(Settlement("s", "m", "v", Split(DEAR, DEAR, DEAR, DEAR, NOTHING)), "B", "l", "bank_card"),
    **bank_facts(PAYMENT),
)
IN_NOTES = _refund("deposited", key="k", admission="ZY20261121004512", department="d", amount_fen=DEAR)
DEPOSIT = _refund("deposited", key="k", admission="ZY1", department="d", amount_fen=DEAR, **bank_facts(PAYMENT))
CARD = _refund("deposit_refused_late", amount_fen=DEAR, **bank_facts(PAYMENT))


def pages() -> list[Question]:
    desk = KioskInMemory().desk
    desk.visit = Visit(
        CardIdentity(b"", "", "2.00", None, None, b""), Holder(RARE_NAME, "", Sex.UNKNOWN, "", None), "451207"
    )
    return [
        refund.too_late(),
        *(refund.confirm(one) for one in (BILL, IN_NOTES, DEPOSIT, CARD)),
        refund.looking(),
        *(refund.undoing(one) for one in (BILL, DEPOSIT)),
        refund.bank_pin(desk, PAYMENT),
        *(refund.not_known_yet(desk, one) for one in (BILL, DEPOSIT)),
        refund.given_back("451207", IN_NOTES, MoneyBack(DEAR, Fen(9_900), Fen(2_000)), NOTHING, True),
        *(refund.given_back("451207", one, MoneyBack(), NOTHING, True) for one in (BILL, DEPOSIT, CARD)),
        *(refund.given_back("451207", one, MoneyBack(), DEAR, False) for one in (DEPOSIT, CARD)),
    ]
