"""An inpatient deposit: the longest department, the most money, every ending."""

from datetime import date

from kiosk.domain.money import Fen
from kiosk.domain.settlement import Admission
from kiosk.money.purse import Purse
from kiosk.ports import Question
from kiosk.services import deposit_pages as deposit
from kiosk.services.money_back import MoneyBack
from tests.screens.pages.bill import DEAR, DEPARTMENTS, NOTES

STAY = Admission("ZY20261121004512", DEPARTMENTS[0], date(2026, 11, 1), DEAR)
OFFERED = tuple(Fen(yuan * 100) for yuan in (500, 1_000, 2_000, 5_000, 10_000))


def pages() -> list[Question]:
    inside = Purse(Fen(500_000), 50)
    return [
        deposit.looking(),
        deposit.crediting(),
        deposit.looking_for_means(),
        deposit.no_stay(),
        deposit.choose_amount(STAY, OFFERED),
        deposit.type_amount(Fen(100), DEAR),
        deposit.type_amount(Fen(100), DEAR, again=True),
        deposit.confirm(STAY, DEAR),
        deposit.feed_notes(DEAR, Purse(), NOTES, Fen(100)),
        deposit.feed_notes(DEAR, inside, NOTES, Fen(100)),
        deposit.no_more_notes(inside),
        deposit.credited("451207", DEAR, MoneyBack(Fen(9_900), DEAR, DEAR), printed=False),
        deposit.credited("451207", DEAR, MoneyBack(), printed=True),
        deposit.not_credited_yet("451207", DEAR, printed=True),
        deposit.not_credited_yet("451207", DEAR, printed=False),
        deposit.bank_silent("451207", DEAR, printed=True),
        deposit.bank_silent("451207", DEAR, printed=False),
    ]
