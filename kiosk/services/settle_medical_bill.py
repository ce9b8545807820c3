"""Settle a medical bill: the pooled fund and the personal account by the platform, the rest in notes.

The order is money-rules 6, 7, 9 and 10: claim, quote, confirm, notes, 2207, SETTLED, change, receipt. What each step
commits before and after it stands in ``kiosk/money``.
"""

import trio

from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.receipt import Receipt
from kiosk.domain.settlement import Claim, InsuredPerson, InvoiceCode, MedicalBill, Settlement, Split
from kiosk.money.book_settlement import Settling, StillUnknown, book_settled, hand_over, settle, void
from kiosk.money.hospital_notices import means_of
from kiosk.money.pay_out import owe_rest, pay_out
from kiosk.money.purse import Purse
from kiosk.money.take_notes import acceptable_notes, take_one_note
from kiosk.ports import Back, DeviceFault, HostRefused, Kiosk, Outcome, OutcomeUnknown, ResidentLeft
from kiosk.race import past_recall
from kiosk.services import bill_pages as pages
from kiosk.services.notices import device_out, host_said_no, host_silent
from kiosk.services.pin_steps import verified_pin

NEEDS = ("card_reader", "pin_pad", "receipt_printer")
AMOUNTS_DISAGREE = "amounts_disagree"  # a quote whose figures contradict each other (money-rules 12)
PAY_OUT_S_MAX = 200.0
PRINT_S_MAX = 60.0
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
    except OutcomeUnknown:
        return await host_silent(kiosk, act="bills")
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
    except OutcomeUnknown:
        await _undo(kiosk, claim, purse, "no_quote")
        return await host_silent(kiosk, act="quote")
    except DeviceFault as fault:
        await _undo(kiosk, claim, purse, "device")
        return await device_out(kiosk, fault)
    except (Back, ResidentLeft) as left:
        await _undo(kiosk, claim, purse, "stopped" if isinstance(left, Back) else left.how)
        raise


async def _quote_and_pay(kiosk: Kiosk, person: InsuredPerson, bill: MedicalBill, claim: Claim, purse: Purse) -> Outcome:
    # What does each side pay? The platform says; the resident agrees.
    quote_id = kiosk.medical_insurance.new_message_id()
    quote = await kiosk.wait(
        pages.working("quoting"), lambda: kiosk.medical_insurance.quote(person, bill, True, quote_id)
    )
    await kiosk.ask(pages.confirm(bill, quote))
    settling = Settling(person, bill, claim, quote, True, kiosk.medical_insurance.new_message_id())

    # Their part, in notes. Until here everything can be taken back.
    if quote.cash_fen:
        if not kiosk.receipt_health.condition.usable:
            raise DeviceFault("receipt_printer", kiosk.receipt_health)
        await _collect(kiosk, quote.cash_fen, purse)

    # 2207. From its intent on nothing is cancelled; the card may go, the story goes on.
    try:
        settlement = await kiosk.wait(
            pages.working("settling"), lambda: settle(kiosk, settling), to_the_end_s=SETTLE_S_MAX
        )
        if not settlement.split.same_money(quote) and not await _accepts(kiosk, quote, settlement):
            await kiosk.wait(
                pages.working("voiding"), lambda: void(kiosk, settling, settlement), to_the_end_s=SETTLE_S_MAX
            )
            raise Back
    except (StillUnknown, OutcomeUnknown):
        # Also when it outlived every limit: after its intent a 2207 is never undone by guessing.
        return await _outcome_pending(kiosk, settling, purse)

    # SETTLED; then change, then paper.
    notice_key = book_settled(kiosk, settling, settlement, purse)
    owed_before = purse.inside_fen
    paid_back = await _pay_back(kiosk, purse, "change")
    invoice = await _tell_hospital(kiosk, settling, settlement, notice_key)
    owed = Fen(owed_before - paid_back)
    receipt = pages.settlement_receipt(kiosk, bill, settlement, paid_back, owed, invoice)
    printed = await _print(kiosk, receipt)
    await kiosk.ask(pages.settled(kiosk, settlement, paid_back, owed, printed), card_needed=False)
    return Outcome.DONE


async def _person_and_bills(kiosk: Kiosk) -> tuple[InsuredPerson, tuple[MedicalBill, ...]]:
    visit = kiosk.visit
    person = await kiosk.medical_insurance.person(visit.identity, visit.holder)
    if not person.in_force:
        raise HostRefused("medical_insurance", "insurance_not_in_force")
    return person, await kiosk.hospital.unpaid_bills(visit.identity, visit.holder)


async def _claim(kiosk: Kiosk, bill: MedicalBill) -> Claim:
    key = kiosk.clock.new_key()
    kiosk.journal.record("claim_intent", kiosk.visit.case_code, bill=bill.bill_id, lease=key)
    claim = await kiosk.wait(pages.working("claiming"), lambda: kiosk.hospital.claim(bill, key))
    kiosk.journal.record("claimed", kiosk.visit.case_code, bill=bill.bill_id, lease=key)
    return claim


async def _collect(kiosk: Kiosk, due_fen: Fen, purse: Purse) -> None:
    """Notes until the due amount is inside. The same card may come back within a minute; any other never."""
    try:
        while purse.inside_fen < due_fen:
            accepted = await acceptable_notes(kiosk, due_fen, purse)
            await kiosk.cash_acceptor.enable(accepted)
            try:
                await kiosk.wait(pages.feed_notes(due_fen, purse, accepted), lambda: take_one_note(kiosk, purse))
            except ResidentLeft as left:
                if left.how != "card_pulled" or not purse.inside_fen or not await _same_card_back(kiosk):
                    raise
    finally:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + 5):
            await kiosk.cash_acceptor.disable()


async def _same_card_back(kiosk: Kiosk) -> bool:
    page = pages.card_out()
    return await kiosk.wait_same_card(page, kiosk.settings.cash.same_card_s)


async def _accepts(kiosk: Kiosk, quote: Split, settlement: Settlement) -> bool:
    """New figures: the resident accepts, or (refusal or time-out) it is undone (rule 9)."""
    enough = settlement.split.cash_fen <= quote.cash_fen
    try:
        return await kiosk.ask(pages.figures_changed(quote, settlement.split), card_needed=False) == "accept" and enough
    except (Back, ResidentLeft):
        return False


async def _undo(kiosk: Kiosk, claim: Claim, purse: Purse, reason: str) -> None:
    """Before 2207 or after its refusal: money back, lease back. A lease that cannot be given back ends by itself."""

    inside = purse.inside_fen
    # The holder may be gone: then nothing is dispensed to whoever stands there now.
    if reason in ("timeout", "card_pulled", "reader_lost"):
        owe_rest(kiosk, purse, reason)
    paid = await _pay_back(kiosk, purse, reason)
    await past_recall(lambda: _release(kiosk, claim), RELEASE_S_MAX)
    if inside:
        await _print(kiosk, pages.money_back_receipt(kiosk, paid, Fen(inside - paid)))
    kiosk.journal.record("settlement_undone", kiosk.visit.case_code, reason=reason)


async def _pay_back(kiosk: Kiosk, purse: Purse, reason: str) -> Fen:
    """What is inside goes out again, and the screen says where; how much came in notes."""
    if not purse.inside_fen:
        return NOTHING
    kiosk.screen.show(pages.notes_coming(purse.inside_fen))
    return await past_recall(lambda: pay_out(kiosk, purse, reason), PAY_OUT_S_MAX)


async def _release(kiosk: Kiosk, claim: Claim) -> None:
    try:
        await kiosk.hospital.release(claim)
    except (HostRefused, OutcomeUnknown) as problem:
        kiosk.log("lease_not_released", error=type(problem).__name__)


async def _outcome_pending(kiosk: Kiosk, settling: Settling, purse: Purse) -> Outcome:
    held = purse.inside_fen
    hand_over(kiosk, settling, purse)
    printed = await _print(kiosk, pages.pending_receipt(kiosk, settling.bill, held))
    await kiosk.ask(pages.outcome_pending(kiosk, held, printed), card_needed=False)
    return Outcome.UNKNOWN


async def _tell_hospital(kiosk: Kiosk, settling: Settling, settlement: Settlement, key: str) -> InvoiceCode | None:
    """Once before the receipt, because the answer carries the invoice code; the queue repeats it by the same key."""
    try:
        return await kiosk.hospital.notify_paid(settling.claim, settlement, means_of(settlement.split), key)
    except (HostRefused, OutcomeUnknown) as problem:
        kiosk.journal.record("payment_notice_unanswered", kiosk.visit.case_code, key=key, why=type(problem).__name__)
        return None


async def _print(kiosk: Kiosk, receipt: Receipt) -> bool:
    """Whether the receipt is surely out. Otherwise it stays owed: reprinted by the same card, marked 补打 (rule 23)."""
    try:
        await past_recall(lambda: kiosk.print_receipt(receipt), PRINT_S_MAX)
    except (DeviceFault, OutcomeUnknown, trio.TooSlowError) as problem:
        kiosk.journal.record("receipt_not_confirmed", kiosk.visit.case_code, why=type(problem).__name__)
        return False
    kiosk.journal.record("receipt_delivered", kiosk.visit.case_code)
    return True
