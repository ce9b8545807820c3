"""2207 from intent to outcome (money-rules 9, 10): nothing is repeated, silence is found out or handed over."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import trio

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import Facts, NewEntry, NewNotice
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.settlement import Claim, InsuredPerson, MedicalBill, Settlement, Split, Treatment
from kiosk.money.bank_record import act_key, bank_facts, open_act
from kiosk.money.due import due_key, open_due, open_key
from kiosk.money.hospital_notices import means_of, payment_facts
from kiosk.money.means import BANK_CARD, CASH
from kiosk.money.purse import Purse
from kiosk.ports import HostRefused, Journal, Kiosk, OutcomeUnknown, Visit
from kiosk.ports.money import BankPayment, Hospital, MedicalInsurance
from kiosk.settings.config import Settings

BILL_NOT_HELD = "bill_not_held"


class Settler(Protocol):
    """What 2207 needs: the kiosk during a visit, or the forwarder with an order that was left in one."""

    @property
    def settings(self) -> Settings: ...
    @property
    def journal(self) -> Journal: ...
    @property
    def visit(self) -> Visit: ...
    @property
    def hospital(self) -> Hospital: ...
    @property
    def medical_insurance(self) -> MedicalInsurance: ...


@dataclass(frozen=True)
class Settling:
    """One bill on its way through the platform. ``message_id`` is its key for ever.

    ``agreed``: what the intent must keep of a settlement order that stands behind it; ``only_if``: whether that still
    stands, asked in the intent's commit.
    """

    person: InsuredPerson
    bill: MedicalBill
    claim: Claim
    quote: Split
    use_account: bool
    message_id: str
    means: str = CASH  # how the resident means to pay their part
    agreed: Facts = field(default_factory=dict)
    only_if: Callable[[], bool] | None = None

    @property
    def treatment(self) -> Treatment:
        return Treatment(self.person.person_number, self.person.insured_place, self.bill.visit_number)


class StillUnknown(Exception):
    """Nobody knows yet; handed over to the forwarder. The cash stays in suspense under the card.

    ``at_bank_fen``: what the bank may have taken, where it is the bank that nobody knows of.
    """

    def __init__(self, key: str, at_bank_fen: Fen = NOTHING) -> None:
        super().__init__(key)
        self.at_bank_fen = at_bank_fen


async def settle(kiosk: Settler, settling: Settling) -> Settlement:
    """Book the bill at the platform, exactly one 2207.

    Raises:
        HostRefused: surely not booked; closed in the journal. StillUnknown: handed over. AlreadyClosed: ``only_if``
            said no, and nothing was sent.
    """
    key = settling.message_id
    facts: dict[str, str | int] = {
        "message_id": key,
        "bill": settling.bill.bill_id,
        "department": settling.bill.department,
        "total_fen": settling.bill.total_fen,
        "visit_number": settling.bill.visit_number,
        "person_number": settling.person.person_number,
        "insured_place": settling.person.insured_place,
        "cash_fen": settling.quote.cash_fen,
        "lease": settling.claim.lease_key,
        "means": settling.means,
        **settling.agreed,
    }
    kiosk.journal.commit(
        NewEntry(
            "settle_intent",
            kiosk.visit.case_code,
            facts,
            kiosk.visit.identity.card_number,
            opens=key,
            only_if=settling.only_if,
        )
    )
    await _hold_bill(kiosk, settling)
    try:
        return await kiosk.medical_insurance.settle(
            settling.person, settling.bill, settling.use_account, settling.message_id
        )
    except HostRefused as refusal:
        kiosk.journal.commit(
            NewEntry("settle_refused", kiosk.visit.case_code, {"message_id": key, "code": refusal.code}, closes=key)
        )
        raise
    except OutcomeUnknown:
        kiosk.journal.record("settle_unknown", kiosk.visit.case_code, message_id=key)
    return await _find_out(kiosk, settling)


async def _hold_bill(kiosk: Settler, settling: Settling) -> None:
    """The lease may have grown old while notes went in; from here on nobody else may settle this bill (rule 6).

    Raises:
        HostRefused: it is not ours any more, or nobody knows; 2207 was surely not sent. A silent hospital is no
            ``OutcomeUnknown`` here: of the settlement everything is known, and its money goes back.
    """
    try:
        await kiosk.hospital.extend(settling.claim, settling=True)
    except (HostRefused, OutcomeUnknown) as problem:
        told: dict[str, str | int] = {"message_id": settling.message_id, "code": BILL_NOT_HELD}
        kiosk.journal.commit(NewEntry("settle_refused", kiosk.visit.case_code, told, closes=settling.message_id))
        if isinstance(problem, OutcomeUnknown):
            raise HostRefused("hospital", BILL_NOT_HELD) from problem
        raise


async def _find_out(kiosk: Settler, settling: Settling) -> Settlement:
    """5203; not found proves nothing -> 2601 -> ask again when the platform must have finished."""
    rules = kiosk.settings.settlement
    with trio.move_on_after(rules.unknown_s_max):
        found = await _look(kiosk, settling)
        if found is None:
            await _reverse_once(kiosk, settling)
            await trio.sleep(rules.processing_s_max)
            found = await _look(kiosk, settling)
        if found is not None:
            return found
    raise StillUnknown(settling.message_id)


async def _look(kiosk: Settler, settling: Settling) -> Settlement | None:
    try:
        return await kiosk.medical_insurance.find(settling.treatment, settling.message_id)
    except (HostRefused, OutcomeUnknown):
        return None


async def _reverse_once(kiosk: Settler, settling: Settling) -> None:
    reversal = kiosk.medical_insurance.new_message_id()
    facts = {"message_id": reversal, "original": settling.message_id, "original_kind": "2207"}
    kiosk.journal.commit(NewEntry("reversal_intent", kiosk.visit.case_code, facts, opens=reversal))
    try:
        await kiosk.medical_insurance.reverse(settling.treatment, settling.message_id, "2207", reversal)
    except HostRefused as refusal:
        told = {"message_id": reversal, "code": refusal.code}
        kiosk.journal.commit(NewEntry("reversal_refused", kiosk.visit.case_code, told, closes=reversal))
    except OutcomeUnknown:
        kiosk.journal.record("reversal_unknown", kiosk.visit.case_code, message_id=reversal)
    else:
        kiosk.journal.commit(
            NewEntry("reversal_answered", kiosk.visit.case_code, {"message_id": reversal}, closes=reversal)
        )


def hand_over(kiosk: Kiosk, settling: Settling, purse: Purse, at_bank: Fen = NOTHING) -> None:
    """The resident leaves with "outcome pending"; from this commit on only the forwarder drives it."""
    held = purse.inside_fen
    kiosk.journal.commit(
        NewEntry(
            "settle_handed_over",
            kiosk.visit.case_code,
            {"message_id": settling.message_id, "held_fen": held, "at_bank_fen": at_bank, "receipt_owed": 1},
            kiosk.visit.identity.card_number,
            balanced((Account.RESIDENT, held), (Account.SUSPENSE, -held)),
        )
    )
    purse.inside_fen = Fen(0)


def open_money_due(kiosk: Kiosk, settling: Settling, settlement: Settlement) -> None:
    """Booked by the platform and not payable at once: a restart from here on undoes it by 2208 (rules 8, 9)."""
    visit = kiosk.visit
    case_of_figures(kiosk.journal, visit.case_code, settling.message_id, settlement.split.disagreements)
    paid = payment_facts(settlement, settling.bill.bill_id, settling.claim.lease_key, settling.means)
    open_due(kiosk.journal, visit.case_code, visit.identity.card_number, settling.treatment, paid)


def book_settled(
    kiosk: Kiosk, settling: Settling, settlement: Settlement, purse: Purse, payment: BankPayment | None = None
) -> str:
    """SETTLED, the receipt owed and the payment notice queued, in one commit. Returns the notice's key.

    ``payment``: the bank card paid; its act at the bank is closed by the same commit, so that no restart reverses it.
    """
    cash = settlement.split.cash_fen
    key = kiosk.clock.new_key()
    paid = payment_facts(
        settlement,
        settling.bill.bill_id,
        settling.claim.lease_key,
        BANK_CARD if payment else means_of(settlement.split),
    )
    at_bank = open_act(kiosk.journal, payment.trace_number) if payment else None
    kiosk.journal.commit(
        NewEntry(
            "settled",
            kiosk.visit.case_code,
            {**paid, **(bank_facts(payment) if payment else {}), "receipt_owed": 1},
            kiosk.visit.identity.card_number,
            balanced((Account.BANK_CLEARING if payment else Account.RESIDENT, cash), (Account.HOSPITAL, -cash)),
            closes=open_key(kiosk.journal, settling.message_id),
            closes_too=(act_key(at_bank),) if at_bank else (),
            notices=(NewNotice("hospital", "payment", key, paid, cash),),
        )
    )
    if payment is None:
        purse.inside_fen = Fen(purse.inside_fen - cash)
    return key


def case_of_figures(journal: Journal, case_code: str, message_id: str, identities: tuple[str, ...]) -> None:
    """Figures that contradict each other: what the platform booked stands, and a person must look (rule 12)."""
    if identities:
        journal.record("amounts_disagree", case_code, message_id=message_id, why=" ".join(identities))


async def void(kiosk: Kiosk, settling: Settling, settlement: Settlement) -> None:
    """2208 for a settlement that the resident did not accept. Cash is payable only after this returned (rule 9).

    Raises:
        StillUnknown: neither confirmed nor refused; stays open for the forwarder.
    """
    key = kiosk.medical_insurance.new_message_id()
    facts: dict[str, str | int] = {"message_id": key, "settlement_id": settlement.settlement_id}
    kiosk.journal.commit(NewEntry("void_intent", kiosk.visit.case_code, facts, opens=key))
    try:
        await kiosk.medical_insurance.void(settling.person, settlement, key)
    except (HostRefused, OutcomeUnknown) as problem:
        kiosk.journal.record("void_unknown", kiosk.visit.case_code, message_id=key, why=type(problem).__name__)
        raise StillUnknown(key) from problem
    kiosk.journal.commit(NewEntry("voided", kiosk.visit.case_code, facts, closes=key))
    undone = {"message_id": settling.message_id}
    lease: Facts = {"bill": settling.bill.bill_id, "lease": settling.claim.lease_key}
    release = NewNotice("hospital", "release", kiosk.clock.new_key(), lease)
    kiosk.journal.commit(
        NewEntry(
            "settle_undone",
            kiosk.visit.case_code,
            undone,
            closes=due_key(settling.message_id),
            notices=(release,),
        )
    )
