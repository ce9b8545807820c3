"""What can be given back at this terminal (money-rules 18), and which of it waits for its second person or its holder.

Three kinds. A settled bill is undone by 2208 first, a credited deposit by the hospital. Money of a bank card that is in
suspense has nothing left to undo: its deposit was refused, or what it paid was given back and the bank did not do its
part, or only the bank's file tells that it paid. All go back the way they came.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kiosk.domain.books import Account
from kiosk.domain.entries import Facts, StoredEntry
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.settlement import Settlement
from kiosk.money.bank_record import INTENT as BANK_INTENT
from kiosk.money.bank_record import open_acts, payment_of
from kiosk.money.hospital_notices import paid_settlement
from kiosk.ports import Clock, Journal
from kiosk.ports.money import BankPayment

OPENED, DECLINED, APPROVED = "refund_opened", "refund_declined", "refund_approved"
BILL, DEPOSIT, CARD = "bill", "deposit", "card"
_KINDS = {
    "settled": BILL,
    "settled_late": BILL,
    "deposited": DEPOSIT,
    "deposited_late": DEPOSIT,
    "deposit_refused": CARD,
    "deposit_refused_late": CARD,
    "refunded": CARD,
    "refunded_late": CARD,
    "deposit_given_back": CARD,
    "deposit_given_back_late": CARD,
    "bank_stands": CARD,
}
INTENTS = {BILL: "refund_intent", DEPOSIT: "deposit_undo_intent", CARD: "card_refund"}
_NOT_DONE = ("refund_refused", "refund_not_booked", "deposit_undo_refused")
_BACK, _STANDS = "bank_given_back", "bank_stands"


@dataclass(frozen=True)
class Refund:
    """What is to be given back. ``entry``: the newest about it; ``settled``: how it came to be ours."""

    entry: StoredEntry
    settled: StoredEntry

    @property
    def kind(self) -> str:
        return _KINDS[self.settled.act]

    @property
    def facts(self) -> Facts:
        assert self.settled.facts is not None, "only what can be read is opened"
        return self.settled.facts

    @property
    def settlement(self) -> Settlement:
        """Of a bill."""
        return paid_settlement(self.facts)[1]

    @property
    def payment(self) -> BankPayment | None:
        return payment_of(self.settled)

    @property
    def back_fen(self) -> Fen:
        """What goes back to its holder, by whichever way it came."""
        if self.payment:
            return self.payment.amount_fen
        return self.settlement.split.cash_fen if self.kind == BILL else Fen(int(self.facts["amount_fen"]))

    @property
    def cash_fen(self) -> Fen:
        """Of it, what comes in notes or is owed."""
        return NOTHING if self.payment else self.back_fen

    @property
    def card_number(self) -> str:
        return str(self.facts.get("card_number", ""))


def refundable(journal: Journal, case_code: str) -> list[StoredEntry]:
    """What came in under this case here and was not given back, nor is on the way to be."""
    story = journal.story(case_code)
    return [one for one in story if one.act in _KINDS and one.facts and _is_ours_still(journal, story, one)]


def waits_for_a_card(journal: Journal, case_code: str) -> bool:
    """Whether what a bank card paid for nothing is in suspense in this case: only its holder's card gets it."""
    return any(_KINDS[one.act] == CARD for one in refundable(journal, case_code))


def _is_ours_still(journal: Journal, story: Sequence[StoredEntry], settled: StoredEntry) -> bool:
    facts = settled.facts or {}
    match _KINDS[settled.act]:
        case kind if kind == BILL:
            undone = {(one.facts or {}).get("settlement_id") for one in story if one.act in ("voided", "void_intent")}
            return facts.get("settlement_id") not in undone and not _given_back(journal, settled)
        case kind if kind == DEPOSIT:
            return not _given_back(journal, settled)
    payment = payment_of(settled)
    return payment is not None and _waits_for_its_card(journal, story, payment)


def _given_back(journal: Journal, settled: StoredEntry) -> bool:
    """Done, or on its way and perhaps done."""
    facts = [(one.act, one.facts or {}) for one in journal.of_card(str((settled.facts or {}).get("card_number", "")))]
    nothing = {_name(told) for act, told in facts if act in _NOT_DONE}
    begun = {_name(told) for act, told in facts if act in INTENTS.values() and told.get("settled") == settled.seq}
    return bool(begun - nothing)


def _waits_for_its_card(journal: Journal, story: Sequence[StoredEntry], payment: BankPayment) -> bool:
    """In suspense in this case, whole; neither on its card again nor perhaps on the way, nor closed away by people."""
    postings = (posting for entry in story for posting in entry.postings if posting.account is Account.SUSPENSE)
    held = -sum(posting.amount_fen for posting in postings)
    asked = any(one.case_code == story[0].case_code for one in open_acts(journal))
    return held >= payment.amount_fen and not asked and not _is_back(story, payment)


def _is_back(story: Sequence[StoredEntry], payment: BankPayment) -> bool:
    """By the bank's answer, or by its file of the day about a void or refund that nobody knew of."""
    paid = payment.batch_number, payment.trace_number
    told = [(entry.act, entry.facts or {}) for entry in story]
    if any((one.get("bank_batch_number"), one.get("bank_trace_number")) == paid for act, one in told if act == _BACK):
        return True
    asked = [one for act, one in told if act == BANK_INTENT]
    undoing = {one["trace_number"] for one in asked if (one.get("original_batch"), one.get("original_trace")) == paid}
    return any(act == _STANDS and one.get("trace_number") in undoing for act, one in told)


def _name(facts: Facts) -> str:
    return str(facts.get("message_id") or facts.get("key") or "")


def waiting_refund(journal: Journal, act: str) -> Refund | None:
    """The one that waits: ``act`` is OPENED (for a second person) or APPROVED (for the holder)."""
    newest = journal.last(OPENED, APPROVED, DECLINED, *INTENTS.values())
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
