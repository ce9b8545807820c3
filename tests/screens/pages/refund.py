"""A refund, in the holder's words; its figures come from lived refunds."""

from kiosk.domain.card import CardIdentity, Holder, Sex
from kiosk.domain.entries import StoredEntry
from kiosk.money.refundable import Refund
from kiosk.ports import Question, Visit
from kiosk.ports.money import BankPayment
from kiosk.services import refund_pages as refund
from tests.flows.people import KioskInMemory
from tests.screens.pages.bill import DEAR
from tests.screens.samples import RARE_NAME

BILL, DEPOSIT = (Refund(*[StoredEntry(1, "", act, "451207", {}, ())] * 2) for act in ("settled", "deposited"))
PAYMENT = BankPayment("000001", "000001", "123456789012", "123456", DEAR, "621700******1234", "1121")


def pages() -> list[Question]:
    desk = KioskInMemory().desk
    desk.visit = Visit(
        CardIdentity(b"", "", "2.00", None, None, b""), Holder(RARE_NAME, "", Sex.UNKNOWN, "", None), "451207"
    )
    return [
        refund.too_late(),
        refund.looking(),
        *(refund.undoing(one) for one in (BILL, DEPOSIT)),
        refund.bank_pin(desk, PAYMENT),
        *(refund.not_known_yet(desk, one) for one in (BILL, DEPOSIT)),
    ]
