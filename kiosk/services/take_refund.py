"""What was paid here goes back to its holder: two of staff have agreed to it at this terminal a moment ago (rule 18).

A bill is undone at the insurance first, a deposit at the hospital; then the money, the way it came. Nothing is paid out
before they have confirmed.
"""

from kiosk.domain.entries import Facts
from kiosk.domain.money import NOTHING, Fen
from kiosk.money.asked_before import insist_nothing_is_asked
from kiosk.money.pay_by_card import ACT_S_MAX
from kiosk.money.purse import Purse
from kiosk.money.refund import begin_card_refund, in_its_case, to_the_card, undo
from kiosk.money.refundable import APPROVED, BILL, CARD, Refund, too_late, waiting_refund
from kiosk.money.undo_deposit import undo_deposit
from kiosk.ports import CardGone, DeviceFault, HostRefused, Kiosk, Outcome, OutcomeUnknown
from kiosk.services import refund_pages as pages
from kiosk.services.cash_steps import give_back, print_and_tell
from kiosk.services.notices import host_said_no, host_silent
from kiosk.services.pin_steps import verified_pin
from kiosk.services.same_card import still_the_same_card

NEEDS = ("card_reader", "pin_pad", "receipt_printer")
UNDO_S_MAX = 90.0  # a deposit is told three times, each as long as the link waits, and the pauses between


async def take_refund(kiosk: Kiosk) -> Outcome:
    ended = await verified_pin(kiosk, initial_permitted=False)
    if ended:
        return ended
    refund = waiting_refund(kiosk.journal, APPROVED)
    ours = refund is not None and refund.card_number == kiosk.visit.identity.card_number
    if refund is None or not ours or too_late(refund, kiosk.clock, kiosk.settings.staff.refund_s):
        await kiosk.ask(pages.too_late())
        return Outcome.REFUSED
    await kiosk.ask(pages.confirm(refund))
    if refund.kind == CARD:
        await still_the_same_card(kiosk)
        with in_its_case(kiosk, refund):
            begin_card_refund(kiosk, refund)
            return await _money_back(kiosk, refund, Purse())
    return await _undo_bill(kiosk, refund) if refund.kind == BILL else await _undo(kiosk, refund)


async def _undo_bill(kiosk: Kiosk, refund: Refund) -> Outcome:
    """2208. From its intent on nothing is cancelled."""
    visit, purse = kiosk.visit, Purse()
    try:
        person = await kiosk.wait(pages.looking(), lambda: kiosk.medical_insurance.person(visit.identity, visit.holder))
        insist_nothing_is_asked(kiosk.journal, person)
    except HostRefused as refusal:
        return await host_said_no(kiosk, refusal)
    except OutcomeUnknown:
        return await host_silent(kiosk, act="bills")
    await still_the_same_card(kiosk)
    try:
        await kiosk.wait(pages.undoing(refund), lambda: undo(kiosk, refund, person, purse), to_the_end_s=UNDO_S_MAX)
    except HostRefused as refusal:
        return await host_said_no(kiosk, refusal, card_needed=False)
    except OutcomeUnknown:
        return await _not_known_yet(kiosk, refund)
    return await _money_back(kiosk, refund, purse)


async def _undo(kiosk: Kiosk, refund: Refund) -> Outcome:
    """A deposit, at the hospital. From its intent on nothing is cancelled."""
    purse = Purse()
    await still_the_same_card(kiosk)
    try:
        await kiosk.wait(pages.undoing(refund), lambda: undo_deposit(kiosk, refund, purse), to_the_end_s=UNDO_S_MAX)
    except HostRefused as refusal:
        return await host_said_no(kiosk, refusal, card_needed=False)
    except OutcomeUnknown:
        return await _not_known_yet(kiosk, refund)
    return await _money_back(kiosk, refund, purse)


async def _money_back(kiosk: Kiosk, refund: Refund, purse: Purse) -> Outcome:
    """Nothing is in the way any more: the money the way it came, then paper."""
    at_bank = await _to_the_card(kiosk, refund)
    await give_back(kiosk, purse, "refund")
    back, printed = await print_and_tell(kiosk)
    await kiosk.ask(pages.given_back(kiosk.visit.case_code, refund, back, at_bank, printed), card_needed=False)
    return Outcome.UNKNOWN if at_bank else Outcome.DONE


async def _to_the_card(kiosk: Kiosk, refund: Refund) -> Fen:
    """What the bank has not surely given back: it waits in suspense, and staff have the case."""
    payment = refund.payment
    if payment is None:
        return NOTHING
    try:
        await kiosk.wait(
            pages.bank_pin(kiosk, payment), lambda: to_the_card(kiosk, payment), to_the_end_s=2 * ACT_S_MAX
        )
    except (HostRefused, OutcomeUnknown, DeviceFault, CardGone) as problem:
        told: Facts = {"amount_fen": payment.amount_fen, "why": type(problem).__name__}
        kiosk.journal.record("bank_not_given_back", kiosk.visit.case_code, **told)
        return payment.amount_fen
    return NOTHING


async def _not_known_yet(kiosk: Kiosk, refund: Refund) -> Outcome:
    await kiosk.ask(pages.not_known_yet(kiosk, refund), card_needed=False)
    return Outcome.UNKNOWN
