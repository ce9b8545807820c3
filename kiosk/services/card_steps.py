"""Paying with the bank card, as the resident lives it: PIN, bank, and what can be done when the bank has not paid."""

from kiosk.domain.money import Fen
from kiosk.money.means import CASH
from kiosk.money.pay_by_card import ACT_S_MAX, TAKE_BACK_S_MAX, NotPaid, pay, take_back
from kiosk.money.refund import to_the_card
from kiosk.ports import Back, CardGone, DeviceFault, HostRefused, Kiosk, OutcomeUnknown, ResidentLeft
from kiosk.ports.money import BankPayment
from kiosk.services import card_pages as pages
from kiosk.services.same_card import still_the_same_card


class InNotes(Exception):
    """The bank surely took nothing, and the resident will pay in notes."""


async def pay_with_card(kiosk: Kiosk, due: Fen, cash_works: bool) -> BankPayment:
    """Exactly what 2207 said. Its act at the bank stays open until the caller commits what was paid.

    Raises:
        InNotes. Back, ResidentLeft: it is not to be paid. StillUnknown: the bank does not say; this goes on.
    """
    while True:
        try:
            return await _once(kiosk, due)
        except NotPaid as no:
            chosen = await kiosk.ask(pages.not_paid(no.reason, cash_works), card_needed=False)
        if chosen == CASH:
            raise InNotes


async def _once(kiosk: Kiosk, due: Fen) -> BankPayment:
    """One purchase.

    Raises:
        NotPaid: also once it was taken back. ResidentLeft: without the card. StillUnknown.
    """
    try:
        await still_the_same_card(kiosk)
        # Until the PIN is given, nothing is asked of the bank: the red key, "go back" and a pulled card end it.
        trace = kiosk.bank.new_trace_number()
        opened = await kiosk.wait(pages.bank_pin(kiosk, due), lambda: kiosk.bank.open_purchase(due, trace))
        try:
            return await kiosk.wait(pages.asking_bank(), lambda: pay(kiosk, opened), to_the_end_s=ACT_S_MAX)
        except OutcomeUnknown:
            await kiosk.wait(pages.taking_back(), lambda: take_back(kiosk, opened), to_the_end_s=TAKE_BACK_S_MAX)
            raise NotPaid("reversed") from None
    except HostRefused as refusal:
        raise NotPaid(refusal.code) from refusal
    except DeviceFault as fault:
        raise NotPaid(fault.slot) from fault
    except Back:
        raise NotPaid("pin_cancelled") from None
    except (CardGone, ResidentLeft) as left:
        await _same_card_back(kiosk, left)
        raise NotPaid("card_was_out") from None


async def back_to_the_card(kiosk: Kiosk, payment: BankPayment) -> bool:
    """What was paid for nothing goes back to the same card (money-rules 18); whether the bank surely has done it.

    Otherwise it waits in suspense, and staff have the case.
    """
    asking = pages.bank_pin_again(kiosk, payment)
    try:
        await kiosk.wait(asking, lambda: to_the_card(kiosk, payment), to_the_end_s=2 * ACT_S_MAX)
    except (HostRefused, OutcomeUnknown, DeviceFault, CardGone) as problem:
        kiosk.journal.record("bank_not_given_back", kiosk.visit.case_code, why=type(problem).__name__)
        return False
    return True


async def _same_card_back(kiosk: Kiosk, left: Exception) -> None:
    """Between 2207 and the bank the same card has a minute to come back; any other never (rule 8).

    Raises:
        ResidentLeft.
    """
    if isinstance(left, ResidentLeft) and left.how != "card_pulled":
        raise left
    if not await kiosk.wait_same_card(pages.card_out(), kiosk.settings.cash.same_card_s):
        raise ResidentLeft("card_pulled")
