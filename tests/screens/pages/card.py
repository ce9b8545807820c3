"""Paying the resident's part by bank card: every answer of the bank, every means that is missing."""

from msgspec import structs

from kiosk.money.means import BANK_CARD, CASH, NO_PAD, Means
from kiosk.ports import Question
from kiosk.services import card_pages as card
from tests.flows.people import KioskInMemory
from tests.screens.pages.bill import DEAR
from tests.screens.pages.refund import PAYMENT

ANSWERS = ("51", "55", "75", "61", "54", "pin_cancelled", "line_down", "card_was_out", "reversed", "14")


def pages() -> list[Question]:
    desk, own_pad = KioskInMemory().desk, KioskInMemory().desk
    own_pad.settings = structs.replace(own_pad.settings, pin_mode="A")
    both = Means((CASH, BANK_CARD))
    return [
        card.choose_means(DEAR, both),
        card.choose_means(DEAR, Means((CASH, BANK_CARD), {BANK_CARD: "blocked"})),
        card.cannot_pay_here(Means((), {CASH: "cash_acceptor", BANK_CARD: "no_application"})),
        card.cannot_pay_here(Means((), {CASH: "cash_acceptor", BANK_CARD: NO_PAD})),
        card.bank_pin(desk, DEAR),
        card.bank_pin(own_pad, DEAR),
        card.bank_pin_again(desk, PAYMENT),
        card.bank_pin_again(own_pad, PAYMENT),
        card.asking_bank(),
        card.taking_back(),
        card.card_out(),
        *(card.not_paid(answer, cash_works=True) for answer in ANSWERS),
        card.not_paid("75", cash_works=False),
        card.undone(),
    ]
