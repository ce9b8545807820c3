"""A bill left to be settled later: the dearest one, every state."""

from datetime import UTC, date, datetime

from kiosk.domain.card import CardIdentity, Holder, Sex
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.settlement import MedicalBill
from kiosk.money.means import CASH
from kiosk.money.purse import Purse
from kiosk.money.settlement_orders import SettlementOrder
from kiosk.ports import Question, Visit
from kiosk.services import order_pages as order
from tests.flows.people import KioskInMemory
from tests.screens.samples import RARE_NAME

DEAR = Fen(9_876_543)
NOTES = tuple(Fen(value) for value in (100, 500, 1000, 2000, 5000, 10_000))


def pages() -> list[Question]:
    kiosk = KioskInMemory().desk
    identity = CardIdentity(b"", "A00000012", "2.00", None, None, b"")
    kiosk.visit = Visit(identity, Holder(RARE_NAME, "", Sex.UNKNOWN, "", None), "451207")
    bill = MedicalBill("b", "内科", date(2026, 11, 21), DEAR, (), "v1", "b1")
    left_at = datetime(2026, 11, 21, tzinfo=UTC)
    before = SettlementOrder("k", "451207", identity, left_at, "b", "内科", DEAR, CASH, DEAR, "l")
    return [
        order.offer(),
        order.already_left(before, can_take_back=False),
        order.already_left(before, can_take_back=True),
        order.confirm_taking_back(before),
        order.taken_back(before, printed=True),
        order.taken_back(before, printed=False),
        order.too_late(before),
        order.choose_means(bill),
        order.confirm_account(bill, DEAR),
        order.confirm_cash(bill, DEAR),
        order.feed_notes(DEAR, Purse(), NOTES),
        order.feed_notes(DEAR, Purse(Fen(98_700_000), 9_870), NOTES[:1]),
        order.left(kiosk, DEAR, printed=True),
        order.left(kiosk, NOTHING, printed=False),
    ]
