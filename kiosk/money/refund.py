"""Giving back (money-rules 18): two of staff agreed, and the holder is here with card and PIN.

Of a bill 2208 first; only once it is confirmed is any money the holder's: cash in notes, what a bank card paid back to
that card. What is to be given back is found by ``refundable``; deposits are undone by ``undo_deposit``.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from kiosk.domain.books import Account, Posting, balanced
from kiosk.domain.entries import Facts, NewEntry, NewNotice
from kiosk.domain.settlement import InsuredPerson
from kiosk.money.bank_record import bank_facts, close_act, open_act
from kiosk.money.hospital_notices import payment_undone_facts
from kiosk.money.purse import Purse
from kiosk.money.refundable import BILL, CARD, INTENTS, Refund
from kiosk.ports import Clock, HostRefused, Kiosk, OutcomeUnknown
from kiosk.ports.money import BankPayment

INTENT, UNKNOWN, REFUNDED = INTENTS[BILL], "refund_unknown", "refunded"
REFUSED, NOT_BOOKED = "refund_refused", "refund_not_booked"
_ABOUT = ("bill", "settlement_id", "visit_number", "total_fen", "fund_fen", "account_fen", "cash_fen", "means")
_NOT_OF_THE_BANK = ("another_card", "pin_cancelled", "reversal_open", "line_down", "not_connected")


async def undo(kiosk: Kiosk, refund: Refund, person: InsuredPerson, purse: Purse) -> None:
    """2208, once. When it returns, cash is in ``purse`` and payable.

    Raises:
        HostRefused: surely not undone. OutcomeUnknown: the day's detail will tell; nothing is payable.
    """
    key = kiosk.medical_insurance.new_message_id()
    visit, settlement = kiosk.visit, refund.settlement
    facts = _intent_facts(refund, person, key)
    card = visit.identity.card_number
    kiosk.journal.commit(NewEntry(INTENT, visit.case_code, facts, card, opens=key))
    try:
        await kiosk.medical_insurance.void(person, settlement, key)
    except HostRefused as refusal:
        told: Facts = {"message_id": key, "code": refusal.code}
        kiosk.journal.commit(NewEntry(REFUSED, visit.case_code, told, card, closes=key))
        raise
    except OutcomeUnknown:
        kiosk.journal.record(UNKNOWN, visit.case_code, message_id=key)
        raise
    _book(kiosk, refund, {**facts, "receipt_owed": 1}, key)
    purse.inside_fen = refund.cash_fen


def _intent_facts(refund: Refund, person: InsuredPerson, key: str) -> dict[str, str | int]:
    """Everything that the detail of T+1 will need, should nobody answer."""
    return refund_facts(refund, *_ABOUT) | {
        "message_id": key,
        "original": refund.facts["message_id"],
        "person_number": person.person_number,
        "insured_place": person.insured_place,
    }


def refund_facts(refund: Refund, *about: str) -> dict[str, str | int]:
    """Of what is given back: these facts and the bank's; from which entry, and who agreed."""
    facts, approved = refund.facts, refund.entry.facts or {}
    names = [name for name in facts if name.startswith("bank_") or name in about]
    return {name: facts[name] for name in names} | {
        "settled": refund.settled.seq,
        "of_case": refund.settled.case_code,
        "counter": approved["counter"],
        "approver": approved["approver"],
    }


def _book(kiosk: Kiosk, refund: Refund, facts: Facts, key: str) -> None:
    visit = kiosk.visit
    notices = (undone_notice(kiosk.clock, facts),)
    card = visit.identity.card_number
    moved = refund_postings(facts, Account.RESIDENT)
    kiosk.journal.commit(NewEntry(REFUNDED, visit.case_code, facts, card, moved, closes=key, notices=notices))


def undone_notice(clock: Clock, facts: Facts) -> NewNotice:
    return NewNotice("hospital", "payment_undone", clock.new_key(), payment_undone_facts(facts), int(facts["cash_fen"]))


def refund_postings(facts: Facts, holder: Account) -> tuple[Posting, ...]:
    """The hospital gives it up. Cash is the holder's; what a bank card paid waits until the bank has it back."""
    cash = int(facts["cash_fen"])
    target = Account.SUSPENSE if "bank_trace_number" in facts else holder
    return balanced((Account.HOSPITAL, cash), (target, -cash)) if cash else ()


@contextmanager
def in_its_case(kiosk: Kiosk, refund: Refund) -> Iterator[None]:
    """What follows goes on with the case in which the money is in suspense, so that the case ends with it."""
    visit = kiosk.visit
    before, visit.case_code = visit.case_code, refund.settled.case_code
    try:
        yield
    finally:
        visit.case_code = before


def begin_card_refund(kiosk: Kiosk, refund: Refund) -> None:
    """Nothing is left to undo: the bank is asked next. From here on a paper is owed, whatever it answers."""
    facts = {**refund_facts(refund), "receipt_owed": 1}
    visit = kiosk.visit
    kiosk.journal.commit(NewEntry(INTENTS[CARD], visit.case_code, facts, visit.identity.card_number))


async def to_the_card(kiosk: Kiosk, payment: BankPayment) -> None:
    """What the bank card paid goes back to that card: undone on the same day, else given back (退货).

    Raises:
        HostRefused: surely not given back. OutcomeUnknown. CardGone, DeviceFault: nothing was asked. In all of these
            the money stays in suspense, and is a case.
    """
    if payment.paid_on in ("", f"{kiosk.clock.now():%m%d}"):
        try:
            await _bank_act(kiosk, payment, "void")
            return
        except HostRefused as refusal:
            if refusal.code in _NOT_OF_THE_BANK:
                raise
    await _bank_act(kiosk, payment, "refund")


async def _bank_act(kiosk: Kiosk, payment: BankPayment, kind: str) -> None:
    trace = kiosk.bank.new_trace_number()
    ask = kiosk.bank.void if kind == "void" else kiosk.bank.refund
    try:
        await ask(payment, trace)
    except HostRefused as refusal:
        if intent := open_act(kiosk.journal, trace):
            close_act(kiosk.journal, intent, "bank_refused", {"code": refusal.code})
        raise
    except OutcomeUnknown as unknown:
        told: dict[str, str | int] = {"trace_number": trace, "why": unknown.why}
        kiosk.journal.record("bank_unknown", kiosk.visit.case_code, **told)
        raise
    intent = open_act(kiosk.journal, trace)
    assert intent is not None, "an intent stands before the first byte leaves"
    back = balanced((Account.SUSPENSE, payment.amount_fen), (Account.BANK_CLEARING, -payment.amount_fen))
    close_act(kiosk.journal, intent, "bank_given_back", bank_facts(payment), back)
