"""A credited deposit goes back to its holder: the hospital takes it off the stay first, by one key (money-rules 18).

Silence is told again by the same key, because the hospital's document promises to take a key once: while the holder
waits, and by ``drive_undone`` afterwards. Nothing is payable before it said yes.
"""

import trio

from kiosk.domain.books import Account, Posting, balanced
from kiosk.domain.entries import Facts, NewEntry, NewNotice, StoredEntry
from kiosk.domain.money import Fen
from kiosk.domain.settlement import UndoneDeposit
from kiosk.money.book_deposit import PAUSE_S, TRIES_MAX
from kiosk.money.purse import Purse
from kiosk.money.refund import refund_facts
from kiosk.money.refundable import DEPOSIT, INTENTS, Refund
from kiosk.ports import Clock, HostRefused, Journal, Kiosk, OutcomeUnknown
from kiosk.ports.money import Hospital

INTENT, REFUSED, UNANSWERED = INTENTS[DEPOSIT], "deposit_undo_refused", "deposit_undo_unanswered"
GIVEN_BACK, GIVEN_BACK_LATE = "deposit_given_back", "deposit_given_back_late"
_ABOUT = ("admission", "department", "amount_fen")


async def undo_deposit(kiosk: Kiosk, refund: Refund, purse: Purse) -> None:
    """Have the hospital undo it. When it returns, cash is in ``purse`` and payable.

    Raises:
        HostRefused: surely not undone. OutcomeUnknown: it goes on without the holder; nothing is payable now.
    """
    visit, key = kiosk.visit, kiosk.clock.new_key()
    facts = {**refund_facts(refund, *_ABOUT), "key": key, "deposit_key": refund.facts["key"]}
    card = visit.identity.card_number
    kiosk.journal.commit(NewEntry(INTENT, visit.case_code, facts, card, opens=key))
    await _told(kiosk, facts)
    moved = _moved(facts, Account.RESIDENT)
    told = {**facts, "receipt_owed": 1}
    kiosk.journal.commit(NewEntry(GIVEN_BACK, visit.case_code, told, card, moved, closes=key))
    purse.inside_fen = refund.cash_fen


async def _told(kiosk: Kiosk, facts: Facts) -> None:
    """Raises HostRefused, closed in the journal. OutcomeUnknown."""
    visit, key = kiosk.visit, str(facts["key"])
    for _ in range(TRIES_MAX):  # the same key again: docs/hosts/hospital.yaml promises to take it once, for 400 days
        try:
            return await _tell(kiosk.hospital, facts)
        except HostRefused as refusal:
            _refused(kiosk.journal, visit.case_code, {**facts, "card_number": visit.identity.card_number}, refusal.code)
            raise
        except OutcomeUnknown:
            kiosk.journal.record(UNANSWERED, visit.case_code, key=key)
            await trio.sleep(PAUSE_S)
    raise OutcomeUnknown("hospital", "silence")


async def _tell(hospital: Hospital, facts: Facts) -> None:
    undone = UndoneDeposit(str(facts["deposit_key"]), str(facts["admission"]), Fen(int(facts["amount_fen"])))
    await hospital.undo_deposit(undone, str(facts["key"]))


def _refused(journal: Journal, case_code: str, facts: Facts, code: str) -> None:
    key, card = str(facts["key"]), str(facts["card_number"])
    journal.commit(NewEntry(REFUSED, case_code, {"key": key, "code": code}, card, closes=key))


def _moved(facts: Facts, holder: Account) -> tuple[Posting, ...]:
    """The hospital gives it up. Cash is the holder's; what a bank card paid waits until the bank has it back."""
    amount = int(facts["amount_fen"])
    target = Account.SUSPENSE if "bank_trace_number" in facts else holder
    return balanced((Account.HOSPITAL, amount), (target, -amount))


async def drive_undone(journal: Journal, clock: Clock, hospital: Hospital, intent: StoredEntry) -> bool:
    """Tell it once more by its key; whether it is closed now. The holder has gone: cash is a debt, paid only to the
    same card and PIN (rule 17), and what a bank card paid waits for its holder and two of staff."""
    facts = intent.facts
    assert facts is not None, "the period of an open effect is never destroyed"
    try:
        await _tell(hospital, facts)
    except OutcomeUnknown:
        return False
    except HostRefused as refusal:
        _refused(journal, intent.case_code, facts, refusal.code)
    else:
        book_undone_late(journal, clock, intent, {})
    return True


def book_undone_late(journal: Journal, clock: Clock, intent: StoredEntry, more: Facts) -> None:
    facts = {**(intent.facts or {}), **more}
    card, moved = str(facts["card_number"]), _moved(facts, Account.HOLDER_DEBT)
    owed = Fen(-sum(posting.amount_fen for posting in moved if posting.account is Account.HOLDER_DEBT))
    debt: Facts = {"amount_fen": owed, "reason": "refund", "card_number": card}
    notices = (NewNotice("hospital", "debt_register", clock.new_key(), debt, owed),) if owed else ()
    told = {**facts, "owed_fen": owed, "receipt_owed": 1}
    closes = str(facts["key"])
    journal.commit(NewEntry(GIVEN_BACK_LATE, intent.case_code, told, card, moved, closes=closes, notices=notices))
