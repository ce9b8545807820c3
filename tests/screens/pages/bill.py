"""A medical bill: the dearest one, the longest department, every ending."""

from datetime import date

from kiosk.domain.card import CardIdentity, Holder, Sex
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.settlement import MedicalBill, Settlement, Split
from kiosk.money.purse import Purse
from kiosk.ports import Question, Visit
from kiosk.services import bill_pages as bill
from tests.flows.people import KioskInMemory
from tests.screens.samples import RARE_NAME

DEAR = Fen(98_765_432)
DEPARTMENTS = ("神经内科与脑血管病联合门诊二区", "Neurology and cerebrovascular outpatient clinic", "内科")
NOTES = tuple(Fen(value) for value in (100, 500, 1000, 2000, 5000, 10_000))


def pages() -> list[Question]:
    kiosk = KioskInMemory().desk
    identity = CardIdentity(b"", "A00000012", "2.00", None, None, b"")
    kiosk.visit = Visit(identity, Holder(RARE_NAME, "", Sex.UNKNOWN, "", None), "451207")
    quote, cheaper = _split(DEAR), _split(Fen(DEAR - 100))
    settlement = Settlement("s1", "m1", "v1", quote)
    return [
        bill.looking(),
        *(bill.working(step) for step in ("claiming", "quoting", "settling", "voiding")),
        bill.nothing_to_pay(),
        bill.choose_bill([_bill(department) for department in DEPARTMENTS]),
        bill.confirm(_bill(DEPARTMENTS[0]), quote),
        bill.confirm(_bill(DEPARTMENTS[2]), _split(NOTHING)),
        bill.feed_notes(DEAR, Purse(), NOTES),
        bill.feed_notes(DEAR, Purse(Fen(98_700_000), 9_870), NOTES[:1]),
        bill.notes_coming(Fen(DEAR)),
        bill.card_out(),
        bill.figures_changed(quote, cheaper),
        bill.settled(kiosk, settlement, Fen(99_99), DEAR, printed=False),
        bill.settled(kiosk, settlement, NOTHING, NOTHING, printed=True),
        bill.outcome_pending(kiosk, DEAR, printed=True),
        bill.outcome_pending(kiosk, DEAR, printed=False),
    ]


def _bill(department: str) -> MedicalBill:
    return MedicalBill(department, department, date(2026, 11, 21), Fen(DEAR * 2), (), "v1", "b1")


def _split(cash: Fen) -> Split:
    """Fund, account and resident share the bill."""
    return Split(Fen(DEAR * 2), Fen(DEAR - 9_000), Fen(DEAR + 9_000 - cash), cash, NOTHING)
