"""Settle a medical bill: the pooled fund and the personal account by the platform, the rest in notes or by bank card.

The order is money-rules 6 to 10: claim, quote, confirm, notes, 2207, SETTLED, change, receipt; a bank card pays between
2207 and SETTLED. What each step commits before and after it stands in ``kiosk/money``.
"""

from kiosk.basics.race import past_recall
from kiosk.domain.money import NOTHING
from kiosk.domain.settlement import Claim, InsuredPerson, MedicalBill, Settlement, Split
from kiosk.money.asked_before import insist_nothing_is_asked
from kiosk.money.book_settlement import (
    Settling,
    StillUnknown,
    book_settled,
    hand_over,
    open_money_due,
    settle,
    void,
)
from kiosk.money.hospital_notices import means_of
from kiosk.money.means import ACCOUNT, BANK_CARD, CASH, Means, means_now
from kiosk.money.purse import Purse
from kiosk.money.receipts_owed import INVOICED
from kiosk.ports import Back, DeviceFault, HostRefused, Kiosk, Outcome, OutcomeUnknown, ResidentLeft
from kiosk.ports.money import BankPayment
from kiosk.services import bill_pages as pages
from kiosk.services import card_pages
from kiosk.services.card_steps import InNotes, pay_with_card
from kiosk.services.cash_steps import collect_notes, give_back, paper_of_visit, print_and_tell, print_paper
from kiosk.services.leave_settlement_order import leave_settlement_order, may_leave_order
from kiosk.services.notices import device_out, host_said_no, host_silent
from kiosk.services.pin_steps import verified_pin
from kiosk.services.same_card import same_card_or_back

NEEDS = ("card_reader", "pin_pad", "receipt_printer")
PLATFORM = "medical_insurance"
AMOUNTS_DISAGREE = "amounts_disagree"  # a quote whose figures contradict each other (money-rules 12)
RELEASE_S_MAX = 20.0
SETTLE_S_MAX = 300.0  # 2207, looking for it, its reversal, and looking again


async def settle_medical_bill(kiosk: Kiosk) -> Outcome:
    # Who is asking, and what do they owe this hospital?
    ended = await verified_pin(kiosk, initial_permitted=False)
    if ended:
        return ended
    try:
        person, bills = await kiosk.wait(pages.looking(), lambda: _person_and_bills(kiosk))
    except HostRefused as refusal:
        return await host_said_no(kiosk, refusal)
    except OutcomeUnknown as silence:
        return await _silent(kiosk, silence, "bills")
    if not bills:
        await kiosk.ask(pages.nothing_to_pay())
        return Outcome.DONE
    chosen = await kiosk.ask(pages.choose_bill(bills))
    bill = next(bill for bill in bills if bill.bill_id == chosen)

    # Claim first: the same bill can be paid at the window meanwhile.
    try:
        claim = await _claim(kiosk, bill)
    except HostRefused as refusal:
        return await host_said_no(kiosk, refusal)
    except OutcomeUnknown:
        return await host_silent(kiosk, act="claim")

    purse = Purse()
    try:
        return await _quote_and_pay(kiosk, person, bill, claim, purse)
    except HostRefused as refusal:
        # Surely not booked: what is inside goes back the way it came.
        if refusal.code == AMOUNTS_DISAGREE:
            kiosk.journal.record("amounts_disagree", kiosk.visit.case_code, bill=bill.bill_id)
        await _undo(kiosk, claim, purse, "refused")
        return await host_said_no(kiosk, refusal)
    except OutcomeUnknown as silence:
        await _undo(kiosk, claim, purse, "no_quote")
        return await _silent(kiosk, silence, "quote", bill.bill_id)
    except DeviceFault as fault:
        await _undo(kiosk, claim, purse, "device")
        return await device_out(kiosk, fault)
    except (Back, ResidentLeft) as left:
        await _undo(kiosk, claim, purse, "stopped" if isinstance(left, Back) else left.how)
        raise


async def _silent(kiosk: Kiosk, silence: OutcomeUnknown, act: str, bill_id: str = "") -> Outcome:
    """Nothing is settled while the platform is silent; where the agency allows it, the bill can be left (rule 11)."""
    if silence.where != PLATFORM or not may_leave_order(kiosk):
        return await host_silent(kiosk, act=act)
    kiosk.journal.record("host_silent", kiosk.visit.case_code, act=act)
    return await leave_settlement_order(kiosk, bill_id)


async def _quote_and_pay(kiosk: Kiosk, person: InsuredPerson, bill: MedicalBill, claim: Claim, purse: Purse) -> Outcome:
    # What does each side pay? The platform says; the resident agrees, and chooses among what works now.
    quote_id = kiosk.medical_insurance.new_message_id()
    quote = await kiosk.wait(
        pages.working("quoting"), lambda: kiosk.medical_insurance.quote(person, bill, True, quote_id)
    )
    means = await kiosk.wait(pages.working("quoting"), lambda: means_now(kiosk, quote.cash_fen))
    if quote.cash_fen and not means.working:
        await kiosk.ask(card_pages.cannot_pay_here(means))
    await kiosk.ask(pages.confirm(bill, quote, means))
    by = await _chosen_means(kiosk, quote, means)
    settling = Settling(person, bill, claim, quote, True, kiosk.medical_insurance.new_message_id(), by)

    # Notes go in before 2207: until here everything can be taken back. A bank card pays after it (rules 7 and 8).
    if by == CASH:
        await collect_notes(kiosk, quote.cash_fen, purse, pages.feed_notes)

    await same_card_or_back(kiosk, purse)
    insist_nothing_is_asked(kiosk.journal, person)  # again: the forwarder may have begun with an order meanwhile

    # 2207. From its intent on nothing is cancelled; the card may go, the story goes on.
    payment = None
    try:
        settlement = await kiosk.wait(
            pages.working("settling"), lambda: settle(kiosk, settling), to_the_end_s=SETTLE_S_MAX
        )
        if by == BANK_CARD or not settlement.split.same_money(quote):
            payment = await _pay_or_undo(kiosk, settling, settlement, purse, means)
    except (StillUnknown, OutcomeUnknown) as unknown:
        # Also when it outlived every limit: after its intent a 2207 is never undone by guessing.
        return await _outcome_pending(kiosk, settling, purse, unknown)

    # SETTLED; then change, then paper.
    notice_key = book_settled(kiosk, settling, settlement, purse, payment)
    await give_back(kiosk, purse, "change")
    await _tell_hospital(kiosk, settling, settlement, payment, notice_key)
    back, printed = await print_and_tell(kiosk)
    await kiosk.ask(pages.settled(kiosk, settlement, back, printed), card_needed=False)
    return Outcome.DONE


async def _pay_or_undo(
    kiosk: Kiosk, settling: Settling, settlement: Settlement, purse: Purse, means: Means
) -> BankPayment | None:
    """What 2207 says is due, to the fen: paid by card (then the payment), or inside in notes. Otherwise 2208.

    Raises:
        Back, ResidentLeft, DeviceFault: undone, and cash is payable again. StillUnknown: the bank or 2208 is silent.
    """
    open_money_due(kiosk, settling, settlement)
    try:
        return await _paid_after_settling(kiosk, settling, settlement, purse, means)
    except (Back, ResidentLeft, DeviceFault) as left:
        await kiosk.wait(pages.working("voiding"), lambda: void(kiosk, settling, settlement), to_the_end_s=SETTLE_S_MAX)
        if isinstance(left, Back) and not purse.inside_fen:
            await kiosk.ask(card_pages.undone(), card_needed=False)
        raise


async def _paid_after_settling(
    kiosk: Kiosk, settling: Settling, settlement: Settlement, purse: Purse, means: Means
) -> BankPayment | None:
    # New figures are the resident's to accept; a time-out is a refusal (rule 9).
    if not settlement.split.same_money(settling.quote):
        await kiosk.ask(pages.figures_changed(settling.quote, settlement.split), card_needed=False)
    due = settlement.split.cash_fen
    if settling.means == BANK_CARD and due:
        try:
            return await pay_with_card(kiosk, due, CASH in means.working)
        except InNotes:
            pass  # the bank surely took nothing
    await collect_notes(kiosk, due, purse, pages.feed_notes)
    return None


async def _chosen_means(kiosk: Kiosk, quote: Split, means: Means) -> str:
    if not quote.cash_fen:
        return ACCOUNT
    if len(means.working) == 1:
        return means.working[0]
    return await kiosk.ask(card_pages.choose_means(quote.cash_fen, means))


async def _person_and_bills(kiosk: Kiosk) -> tuple[InsuredPerson, tuple[MedicalBill, ...]]:
    visit = kiosk.visit
    person = await kiosk.medical_insurance.person(visit.identity, visit.holder)
    if not person.in_force:
        raise HostRefused("medical_insurance", "insurance_not_in_force")
    insist_nothing_is_asked(kiosk.journal, person)
    return person, await kiosk.hospital.unpaid_bills(visit.identity, visit.holder)


async def _claim(kiosk: Kiosk, bill: MedicalBill) -> Claim:
    key = kiosk.clock.new_key()
    kiosk.journal.record("claim_intent", kiosk.visit.case_code, bill=bill.bill_id, lease=key)
    claim = await kiosk.wait(pages.working("claiming"), lambda: kiosk.hospital.claim(bill, key))
    kiosk.journal.record("claimed", kiosk.visit.case_code, bill=bill.bill_id, lease=key)
    return claim


async def _undo(kiosk: Kiosk, claim: Claim, purse: Purse, reason: str) -> None:
    """Before 2207 or after it was undone: money back, lease back. A lease that cannot be given back ends by itself."""
    inside = purse.inside_fen
    await give_back(kiosk, purse, reason)
    await past_recall(lambda: _release(kiosk, claim), RELEASE_S_MAX)
    if inside:
        await _print(kiosk)
    kiosk.journal.record("settlement_undone", kiosk.visit.case_code, reason=reason)


async def _release(kiosk: Kiosk, claim: Claim) -> None:
    try:
        await kiosk.hospital.release(claim)
    except (HostRefused, OutcomeUnknown) as problem:
        kiosk.log("lease_not_released", error=type(problem).__name__)


async def _outcome_pending(
    kiosk: Kiosk, settling: Settling, purse: Purse, unknown: StillUnknown | OutcomeUnknown
) -> Outcome:
    held = purse.inside_fen
    at_bank = unknown.at_bank_fen if isinstance(unknown, StillUnknown) else NOTHING
    hand_over(kiosk, settling, purse, at_bank)
    printed = await _print(kiosk)
    await kiosk.ask(pages.outcome_pending(kiosk, held, at_bank, printed), card_needed=False)
    return Outcome.UNKNOWN


async def _tell_hospital(
    kiosk: Kiosk, settling: Settling, settlement: Settlement, payment: BankPayment | None, key: str
) -> None:
    """Once before the receipt, because the answer carries the invoice code; the queue repeats it by the same key."""
    means = BANK_CARD if payment else means_of(settlement.split)
    code = kiosk.visit.case_code
    try:
        invoice = await kiosk.hospital.notify_paid(settling.claim, settlement, means, key)
    except (HostRefused, OutcomeUnknown) as problem:
        kiosk.journal.record("payment_notice_unanswered", code, key=key, why=type(problem).__name__)
    else:
        kiosk.journal.record(INVOICED, code, message_id=settling.message_id, invoice_code=invoice.code)


async def _print(kiosk: Kiosk) -> bool:
    """Whether this visit's receipt is surely out."""
    owed = paper_of_visit(kiosk)
    return owed is not None and await print_paper(kiosk, owed)
