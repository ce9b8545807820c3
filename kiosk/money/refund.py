"""Giving a settled bill back (money-rules 18): two of staff agreed, and its holder is here with card and PIN.

2208 first; only once it is confirmed is any money the holder's: cash in notes, what a bank card paid back to that card.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from kiosk.domain.books import Account, Posting, balanced
from kiosk.domain.entries import Facts, NewEntry, NewNotice, StoredEntry
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.settlement import InsuredPerson, Settlement
from kiosk.money.bank_record import bank_facts, close_act, open_act, payment_of
from kiosk.money.hospital_notices import paid_settlement, payment_undone_facts
from kiosk.money.purse import Purse
from kiosk.ports import Clock, HostRefused, Journal, Kiosk, OutcomeUnknown
from kiosk.ports.money import BankPayment

SETTLED = ("settled", "settled_late")
OPENED, DECLINED, APPROVED = "refund_opened", "refund_declined", "refund_approved"
INTENT, UNKNOWN, REFUNDED = "refund_intent", "refund_unknown", "refunded"
REFUSED, NOT_BOOKED = "refund_refused", "refund_not_booked"
_ENDS = (INTENT, DECLINED)
_ABOUT = ("bill", "settlement_id", "visit_number", "total_fen", "fund_fen", "account_fen", "cash_fen", "means")
_NOT_OF_THE_BANK = ("another_card", "pin_cancelled", "reversal_open", "line_down", "not_connected")


@dataclass(frozen=True)
class Refund:
    """One bill to be given back. ``entry``: the newest about it; ``settled``: what is to be undone."""

    entry: StoredEntry
    settled: StoredEntry

    @property
    def facts(self) -> Facts:
        assert self.settled.facts is not None, "only what can be read is opened"
        return self.settled.facts

    @property
    def settlement(self) -> Settlement:
        return paid_settlement(self.facts)[1]

    @property
    def payment(self) -> BankPayment | None:
        return payment_of(self.settled)

    @property
    def cash_fen(self) -> Fen:
        """What comes back in notes, or is owed."""
        return NOTHING if self.payment else self.settlement.split.cash_fen

    @property
    def card_number(self) -> str:
        return str(self.facts.get("card_number", ""))


def refundable(journal: Journal, case_code: str) -> list[StoredEntry]:
    """What was settled in this case here and was not given back, nor is on the way to be."""
    story = journal.story(case_code)
    gone = {str((one.facts or {}).get("settlement_id")) for one in story if one.act in ("voided", "void_intent")}
    return [
        one
        for one in story
        if one.act in SETTLED and one.facts and one.facts["settlement_id"] not in gone and not _given_back(journal, one)
    ]


def _given_back(journal: Journal, settled: StoredEntry) -> bool:
    """Done, or on its way and perhaps done."""
    facts = [(one.act, one.facts or {}) for one in journal.of_card(str((settled.facts or {}).get("card_number", "")))]
    nothing = {told.get("message_id") for act, told in facts if act in (REFUSED, NOT_BOOKED)}
    begun = {told["message_id"] for act, told in facts if act == INTENT and told.get("settled") == settled.seq}
    return bool(begun - nothing)


def waiting_refund(journal: Journal, act: str) -> Refund | None:
    """The one that waits: ``act`` is OPENED (for a second person) or APPROVED (for the holder)."""
    newest = journal.last(OPENED, APPROVED, *_ENDS)
    if newest is None or newest.act != act or newest.facts is None:
        return None
    settled = next((one for one in refundable(journal, newest.case_code) if one.seq == newest.facts["settled"]), None)
    return Refund(newest, settled) if settled else None


def refund_waits(journal: Journal, card_number: str) -> bool:
    """Whether an approved refund waits for the holder of this card."""
    found = waiting_refund(journal, APPROVED)
    return found is not None and found.card_number == card_number


def too_late(refund: Refund, clock: Clock, seconds: float) -> bool:
    return clock.now() - datetime.fromisoformat(refund.entry.at) > timedelta(seconds=seconds)


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
    facts, approved = refund.facts, refund.entry.facts or {}
    names = [name for name in facts if name.startswith("bank_") or name in _ABOUT]
    return {name: facts[name] for name in names} | {
        "message_id": key,
        "original": facts["message_id"],
        "person_number": person.person_number,
        "insured_place": person.insured_place,
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
