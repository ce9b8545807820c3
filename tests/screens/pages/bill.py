"""A medical bill: the dearest one, the longest department, every ending."""

from datetime import date

from kiosk.domain.card import CardIdentity, Holder, Sex
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.settlement import MedicalBill, Settlement, Split
from kiosk.money.means import BANK_CARD, CASH, Means
from kiosk.money.purse import Purse
from kiosk.ports import Question, Visit
from kiosk.services import bill_pages as bill
from kiosk.services.money_back import MoneyBack
from tests.flows.people import KioskInMemory
from tests.screens.samples import RARE_NAME

DEAR = Fen(9_876_543)
DEPARTMENTS = ("神经内科与脑血管病联合门诊", "心脏大血管外科二病区", "内科")
NOTES = tuple(Fen(value) for value in (100, 500, 1000, 2000, 5000, 10_000))


def pages() -> list[Question]:
    kiosk = KioskInMemory().desk
    identity = CardIdentity(b"", "A00000012", "2.00", None, None, b"")
    kiosk.visit = Visit(identity, Holder(RARE_NAME, "", Sex.UNKNOWN, "", None), "451207")
    quote, cheaper = _split(Fen(DEAR - 10_000)), _split(Fen(DEAR - 10_100))
    settlement = Settlement("s1", "m1", "v1", quote)
    return [
        bill.looking(),
        *(bill.working(step) for step in ("claiming", "quoting", "settling", "voiding")),
        bill.nothing_to_pay(),
        bill.choose_bill([_bill(department) for department in DEPARTMENTS]),
        bill.confirm(_bill(DEPARTMENTS[0]), quote, Means((CASH,), {BANK_CARD: "pin_pad"})),
        bill.confirm(_bill(DEPARTMENTS[2]), quote, Means((CASH, BANK_CARD))),
        bill.confirm(_bill(DEPARTMENTS[2]), _split(NOTHING), Means()),
        bill.feed_notes(DEAR, Purse(), NOTES),
        bill.feed_notes(DEAR, Purse(Fen(98_700_000), 9_870), NOTES[:1]),
        bill.notes_coming(Fen(DEAR)),
        bill.card_out(),
        bill.figures_changed(quote, cheaper),
        bill.settled(kiosk, settlement, MoneyBack(Fen(99_99), DEAR), printed=False),
        bill.settled(kiosk, settlement, MoneyBack(), printed=True),
        bill.settled(kiosk, settlement, MoneyBack(Fen(99_99), Fen(9_900), DEAR), printed=False),
        bill.settled(kiosk, settlement, MoneyBack(NOTHING, NOTHING, Fen(2_000)), printed=True),
        bill.outcome_pending(kiosk, DEAR, NOTHING, printed=True),
        bill.outcome_pending(kiosk, DEAR, DEAR, printed=False),
        bill.outcome_pending(kiosk, NOTHING, DEAR, printed=False),
    ]


def _bill(department: str) -> MedicalBill:
    return MedicalBill(department, department, date(2026, 11, 21), DEAR, (), "v1", "b1")


def _split(cash: Fen) -> Split:
    """Fund, account and resident share the bill."""
    return Split(DEAR, Fen(DEAR - cash - 9_000), Fen(9_000), cash, NOTHING)
