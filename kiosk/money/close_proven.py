"""Effects whose outcome nobody knew, closed by the final detail of their day (money-rules 10): booked, or surely not.

Nothing here asks the platform to do anything, and nothing is paid out: what a holder is owed becomes a debt.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import Facts, NewEntry, NewNotice, StoredEntry
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.settlement import Settlement, Split, StatementRow
from kiosk.money.drive_unknown import book_settled_late, held_fen
from kiosk.money.refund import NOT_BOOKED, refund_postings, undone_notice
from kiosk.ports import Clock, Journal


@dataclass(frozen=True)
class Detail:
    """Everything that the platform has under this terminal's message ids, for one day of ours."""

    rows: Sequence[StatementRow]

    def booked(self, message_id: str) -> StatementRow | None:
        return next((row for row in self.rows if row.message_id == message_id), None)

    def undoes(self, settled: StatementRow) -> bool:
        return any(row.undoing and row.visit_number == settled.visit_number for row in self.rows)


def close_proven(journal: Journal, clock: Clock, intents: Sequence[StoredEntry], detail: Detail) -> int:
    """Close every one of these open effects; how many. Safe to run again after a power cut: what is closed is gone.

    Voids first: a settlement that was undone is nobody's to pay.
    """
    closed = 0
    for act in ("void_intent", "refund_intent", "settle_intent"):
        for intent in (one for one in intents if one.act == act):
            _CLOSE[act](journal, clock, intent, detail)
            closed += 1
    return closed + _close_reversals(journal)


def _close_void(journal: Journal, clock: Clock, intent: StoredEntry, detail: Detail) -> None:
    key = _key(intent)
    act = "voided" if detail.booked(key) else "void_not_booked"
    facts: Facts = {"message_id": key, "settlement_id": _facts(intent)["settlement_id"], "proved": "statement"}
    journal.commit(NewEntry(act, intent.case_code, facts, closes=key))


def _close_refund(journal: Journal, clock: Clock, intent: StoredEntry, detail: Detail) -> None:
    """The holder has gone: what comes back in cash is a debt, paid only to the same card and PIN (rule 17)."""
    facts, key = _facts(intent), _key(intent)
    if detail.booked(key) is None:
        nothing: Facts = {"message_id": key, "proved": "statement"}
        journal.commit(NewEntry(NOT_BOOKED, intent.case_code, nothing, _card(intent), closes=key))
        return
    moved = refund_postings(facts, Account.HOLDER_DEBT)
    cash = Fen(-sum(posting.amount_fen for posting in moved if posting.account is Account.HOLDER_DEBT))
    owed, debt = _debt(clock, intent, cash, "refund")
    told = {name: value for name, value in facts.items() if name != "card_number"}
    told |= {"owed_fen": owed, "proved": "statement", "receipt_owed": 1}
    notices = (undone_notice(clock, facts), *debt)
    journal.commit(NewEntry("refunded_late", intent.case_code, told, _card(intent), moved, closes=key, notices=notices))


def _close_settlement(journal: Journal, clock: Clock, intent: StoredEntry, detail: Detail) -> None:
    row = detail.booked(_key(intent))
    if row is not None and not detail.undoes(row):
        book_settled_late(journal, clock, intent, settlement_of(row, _facts(intent)))
        return
    key = _key(intent)
    held = held_fen(journal, intent.case_code, key)
    owed, debt = _debt(clock, intent, held, "not_settled")
    lease: Facts = {"bill": _facts(intent)["bill"], "lease": _facts(intent)["lease"]}
    notices = (NewNotice("hospital", "release", clock.new_key(), lease), *debt)
    facts: dict[str, str | int] = {"message_id": key, "owed_fen": owed, "proved": "statement"}
    journal.commit(
        NewEntry(
            "settle_undone" if row is not None else "settle_not_booked",
            intent.case_code,
            facts | ({"receipt_owed": 1} if owed else {}),
            _card(intent),
            balanced((Account.SUSPENSE, held), (Account.HOLDER_DEBT, -held)) if held else (),
            closes=key,
            notices=notices,
        )
    )


_CLOSE = {"void_intent": _close_void, "refund_intent": _close_refund, "settle_intent": _close_settlement}


def _close_reversals(journal: Journal) -> int:
    """A reversal without an answer is over once what it was to reverse is known, one way or the other."""
    effects = journal.open_effects()
    still_open = {_key(one) for one in effects if one.act == "settle_intent"}
    over = [
        one for one in effects if one.act == "reversal_intent" and str(_facts(one).get("original")) not in still_open
    ]
    for intent in over:
        told: Facts = {"message_id": _key(intent), "proved": "statement"}
        journal.commit(NewEntry("reversal_over", intent.case_code, told, closes=_key(intent)))
    return len(over)


def settlement_of(row: StatementRow, intent: Facts) -> Settlement:
    """The detail names total, fund and account; the rest is the person's as quoted, and beyond it the hospital's."""
    rest = row.total_fen - row.fund_fen - row.account_fen
    cash = min(rest, int(intent["cash_fen"]))
    split = Split(row.total_fen, row.fund_fen, row.account_fen, Fen(cash), Fen(rest - cash))
    return Settlement(row.settlement_id, row.message_id, row.visit_number, split)


def _debt(clock: Clock, intent: StoredEntry, amount: Fen, reason: str) -> tuple[Fen, tuple[NewNotice, ...]]:
    if not amount:
        return NOTHING, ()
    facts: Facts = {"amount_fen": amount, "reason": reason, "card_number": _card(intent)}
    return amount, (NewNotice("hospital", "debt_register", clock.new_key(), facts, amount),)


def _facts(intent: StoredEntry) -> Facts:
    assert intent.facts is not None, "the period of an open effect is never destroyed"
    return intent.facts


def _key(intent: StoredEntry) -> str:
    return str(_facts(intent)["message_id"])


def _card(intent: StoredEntry) -> str:
    return str(_facts(intent).get("card_number", ""))
