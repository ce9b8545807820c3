"""What a holder is owed: papers of every kind, and money that the hospital's register keeps."""

from datetime import UTC, date, datetime

from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.settlement import Debt, FoundDebts, HeldReceipt
from kiosk.money.debt_payout import Payout
from kiosk.money.debts import AGENCY
from kiosk.money.receipts_owed import OwedReceipt
from kiosk.ports import Question
from kiosk.services import collect_pages as collect
from tests.screens.pages.bill import DEAR

CODE = "451207"
KINDS = ("bill", "bill_pending", "deposit", "deposit_pending", "debt_paid", "money", "refund", "order_pending")
THERE = HeldReceipt("k", "T0000002", CODE, date(2026, 11, 22), "内科", "S1", DEAR, DEAR, NOTHING, NOTHING, DEAR, DEAR)
DEBTS = (
    Debt("410100202611210001", DEAR, "dispense_short"),
    Debt("410100202611210002", Fen(100), "stopped", datetime(2026, 11, 21, tzinfo=UTC)),
)


def pages() -> list[Question]:
    papers = [OwedReceipt(seq, kind, CODE, "2026-11-21T10:24:00+00:00", {}) for seq, kind in enumerate(KINDS)]
    return [
        collect.no_papers(),
        collect.looking_for_papers(),
        collect.choose_paper(papers),
        collect.choose_paper(papers[:1], [THERE]),
        collect.printing(),
        collect.printed(0),
        collect.printed(2),
        collect.not_printed(CODE),
        collect.looking(),
        collect.no_debts(),
        collect.register_silent(CODE),
        collect.choose_debt(FoundDebts(DEBTS)),
        collect.choose_debt(FoundDebts(DEBTS, (AGENCY,))),
        collect.paying_elsewhere(),
        collect.changed(),
        collect.not_in_notes(DEBTS[0]),
        collect.confirm(DEBTS[0], Fen(DEAR - 32)),
        collect.paying(DEAR),
        collect.paid(CODE, Payout(DEAR, NOTHING, Fen(32)), printed=False),
        collect.paid(CODE, Payout(DEAR, NOTHING, NOTHING), printed=True),
        collect.uncertain(CODE, Payout(DEAR, DEAR, DEAR), printed=False),
        collect.uncertain(CODE, Payout(NOTHING, DEAR, NOTHING), printed=True),
        collect.nothing_came(CODE),
    ]
