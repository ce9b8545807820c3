"""Contributions: what is payable, notes, credited, received, refused."""

from kiosk.domain.contribution import ContributionKind, PayableContribution
from kiosk.domain.money import Fen
from kiosk.money.contributions import Contributing
from kiosk.money.purse import Purse
from kiosk.ports import HostRefused, Question
from kiosk.services import contribution_pages as pages_of
from kiosk.services.money_back import MoneyBack

PENSION, MEDICAL = ContributionKind.RESIDENT_PENSION, ContributionKind.RESIDENT_MEDICAL
GRADES = tuple(Fen(one) for one in (20_000, 30_000, 50_000, 100_000, 200_000))
PAYABLE = (
    PayableContribution(PENSION, 2026, GRADES),
    PayableContribution(PENSION, 2025, GRADES, paid=True),
    PayableContribution(MEDICAL, 2026, (Fen(40_000),)),
    PayableContribution(MEDICAL, 2025, (Fen(40_000),), paid=True),
)
RECEIVED = PayableContribution(MEDICAL, 2026, (Fen(40_000),), received=True)
CHOSEN = Contributing(MEDICAL, 2026, Fen(200_000), "key")
NOTES = (Fen(1000), Fen(2000), Fen(5000), Fen(10_000))


def paid(
    change: int = 0, owed: int = 0, under_check: int = 0, printed: bool = True, amount: int = 200_000
) -> pages_of.Paid:
    return pages_of.Paid(Fen(amount), MoneyBack(Fen(change), Fen(owed), Fen(under_check)), printed, "451207")


def pages() -> list[Question]:
    return [
        pages_of.looking(),
        pages_of.nothing_to_pay([PAYABLE[1]]),
        pages_of.nothing_to_pay([]),
        pages_of.nothing_to_pay([RECEIVED]),
        pages_of.choose(PAYABLE),
        pages_of.choose([*PAYABLE[:2], RECEIVED]),
        pages_of.choose_grade(PAYABLE[0]),
        pages_of.confirm(CHOSEN, offline=False),
        pages_of.confirm(CHOSEN, offline=True),
        pages_of.feed_notes(CHOSEN.amount_fen, Purse(), NOTES),
        pages_of.feed_notes(CHOSEN.amount_fen, Purse(Fen(120_000)), NOTES),
        pages_of.crediting(),
        pages_of.credited(paid()),
        pages_of.credited(paid(change=5000, owed=300, printed=False)),
        pages_of.credited(paid(change=5000, owed=300, under_check=2000, printed=False)),
        pages_of.received(paid()),
        pages_of.received(paid(change=5000, owed=300, under_check=2000, printed=False)),
        *(
            pages_of.not_credited(HostRefused("social_insurance", code), paid(20_000, amount=0))
            for code in ("already_paid", "amount_differs", "year_closed", "not_entitled")
        ),
        pages_of.not_credited(
            HostRefused("social_insurance", "year_closed"), paid(owed=18_000, under_check=2000, printed=False, amount=0)
        ),
    ]
