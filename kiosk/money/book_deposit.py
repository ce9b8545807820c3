"""An inpatient deposit from intent to outcome: one key, told again only because the hospital takes a key once."""

from dataclasses import dataclass

import trio

from kiosk.domain.books import Account, balanced
from kiosk.domain.card import CardIdentity, Holder, Sex
from kiosk.domain.entries import Facts, NewEntry
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.settlement import Admission
from kiosk.money.bank_record import act_key, bank_facts, open_act, paid_by
from kiosk.money.purse import Purse
from kiosk.ports import HostRefused, Kiosk, OutcomeUnknown
from kiosk.ports.money import BankPayment, Hospital

TRIES_MAX = 3  # while the resident waits; then it goes on without them
PAUSE_S = 3.0
# The hospital has just said whose stay it is. A deposit names card and stay and no person, so that the journal need
# not keep a person's number in order to say the same again after a power cut.
_NOBODY = Holder("", "", Sex.UNKNOWN, "", None)


@dataclass(frozen=True)
class Depositing:
    """One deposit on its way to the hospital. ``key`` is its key for ever."""

    admission: Admission
    amount_fen: Fen
    key: str
    payment: BankPayment | None = None  # the bank card paid; else notes are inside


class NotCreditedYet(Exception):
    """The hospital is silent. Whether it has the deposit is unknown, and will be found out by the same key."""


async def deposit(kiosk: Kiosk, depositing: Depositing, purse: Purse) -> str:
    """Have the hospital credit what is inside; its receipt number.

    Raises:
        HostRefused: surely not credited; closed in the journal. NotCreditedYet.
    """
    visit, key = kiosk.visit, depositing.key
    facts = deposit_facts(visit.identity, depositing)
    _open(kiosk, depositing, facts, purse)
    for _ in range(TRIES_MAX):  # the same key again: docs/hosts/hospital.yaml promises to take it once, for 400 days
        try:
            return await tell_deposit(kiosk.hospital, {**facts, "card_number": visit.identity.card_number})
        except HostRefused as refusal:
            _refused(kiosk, depositing, {**facts, "code": refusal.code}, purse)
            raise
        except OutcomeUnknown:
            kiosk.journal.record("deposit_unanswered", visit.case_code, key=key)
            await trio.sleep(PAUSE_S)
    raise NotCreditedYet(key)


def _open(kiosk: Kiosk, depositing: Depositing, facts: Facts, purse: Purse) -> None:
    """What the bank card paid is the resident's money inside from here on: its act at the bank ends with this very
    commit, so that no restart reverses at the bank what the hospital may have credited."""
    visit, key, payment = kiosk.visit, depositing.key, depositing.payment
    card = visit.identity.card_number
    if payment is None:
        kiosk.journal.commit(NewEntry("deposit_intent", visit.case_code, facts, card, opens=key))
        return
    at_bank = open_act(kiosk.journal, payment.trace_number)
    assert at_bank is not None, "an approved payment is open until it is booked"
    paid = balanced((Account.BANK_CLEARING, payment.amount_fen), (Account.RESIDENT, -payment.amount_fen))
    kiosk.journal.commit(
        NewEntry("deposit_intent", visit.case_code, facts, card, paid, opens=key, closes=act_key(at_bank))
    )
    purse.inside_fen = payment.amount_fen


def _refused(kiosk: Kiosk, depositing: Depositing, facts: Facts, purse: Purse) -> None:
    """Notes stay the resident's and are given back; what the bank paid waits for the bank to have it back (rule 18)."""
    visit, key = kiosk.visit, depositing.key
    if depositing.payment is None:
        kiosk.journal.commit(NewEntry("deposit_refused", visit.case_code, facts, closes=key))
        return
    waits = balanced((Account.RESIDENT, purse.inside_fen), (Account.SUSPENSE, -purse.inside_fen))
    told = {**facts, "receipt_owed": 1}
    card = visit.identity.card_number
    kiosk.journal.commit(NewEntry("deposit_refused", visit.case_code, told, card, waits, closes=key))
    purse.inside_fen = NOTHING


def deposit_facts(identity: CardIdentity, depositing: Depositing) -> dict[str, str | int]:
    """All that ``tell_deposit`` needs after a restart, and what a receipt says."""
    return {
        "key": depositing.key,
        "admission": depositing.admission.number,
        "department": depositing.admission.department,
        "amount_fen": depositing.amount_fen,
        "chip": identity.identification_code.hex(),
        **(bank_facts(depositing.payment) if depositing.payment else {}),
    }


async def tell_deposit(hospital: Hospital, facts: Facts) -> str:
    """Raises HostRefused, OutcomeUnknown."""
    card = CardIdentity(bytes.fromhex(str(facts["chip"])), str(facts["card_number"]), "", None, None, b"")
    amount = Fen(int(facts["amount_fen"]))
    return await hospital.deposit(card, _NOBODY, str(facts["admission"]), amount, paid_by(facts), str(facts["key"]))


def book_deposited(kiosk: Kiosk, depositing: Depositing, number: str, purse: Purse) -> None:
    """Credited, and the receipt owed, in one commit."""
    visit, amount = kiosk.visit, depositing.amount_fen
    facts = {**deposit_facts(visit.identity, depositing), "hospital_number": number, "receipt_owed": 1}
    moved = balanced((Account.RESIDENT, amount), (Account.HOSPITAL, -amount))
    card = visit.identity.card_number
    kiosk.journal.commit(NewEntry("deposited", visit.case_code, facts, card, moved, closes=depositing.key))
    purse.inside_fen = Fen(purse.inside_fen - amount)


def hand_over(kiosk: Kiosk, depositing: Depositing, purse: Purse) -> None:
    """The resident leaves with "received, not yet credited"; ``drive_deposits`` goes on by the same key."""
    visit, held = kiosk.visit, purse.inside_fen
    facts = {**deposit_facts(visit.identity, depositing), "held_fen": held, "receipt_owed": 1}
    moved = balanced((Account.RESIDENT, held), (Account.SUSPENSE, -held))
    kiosk.journal.commit(NewEntry("deposit_handed_over", visit.case_code, facts, visit.identity.card_number, moved))
    purse.inside_fen = NOTHING


def book_unpaid(kiosk: Kiosk, depositing: Depositing, at_bank: Fen) -> None:
    """The bank does not say whether it paid, and nothing was deposited: its act goes on alone, the paper is owed."""
    visit = kiosk.visit
    facts = {**deposit_facts(visit.identity, depositing), "at_bank_fen": at_bank, "receipt_owed": 1}
    kiosk.journal.commit(NewEntry("deposit_unpaid", visit.case_code, facts, visit.identity.card_number))
