"""Pay an inpatient deposit in notes or by bank card: stay, amount, money, the hospital's credit, receipt.

The only deposit there is (money-rules 13). What each step commits before and after it stands in ``kiosk/money``.
"""

from dataclasses import replace

from kiosk.domain.health import Condition, Health
from kiosk.domain.money import Fen
from kiosk.domain.settlement import Admission
from kiosk.money.book_deposit import Depositing, NotCreditedYet, book_deposited, book_unpaid, deposit, hand_over
from kiosk.money.book_settlement import StillUnknown
from kiosk.money.means import BANK_CARD, CASH, Means, means_now
from kiosk.money.purse import Purse
from kiosk.ports import (
    Back,
    Chose,
    DeviceFault,
    HostRefused,
    Kiosk,
    Outcome,
    OutcomeUnknown,
    Question,
    ResidentLeft,
    digits_given,
)
from kiosk.ports.money import BankPayment
from kiosk.services import card_pages
from kiosk.services import deposit_pages as pages
from kiosk.services.card_steps import InNotes, back_to_the_card, pay_with_card
from kiosk.services.cash_steps import (
    NO_MORE_NOTES,
    collect_notes,
    give_back,
    paper_of_visit,
    print_and_tell,
    print_paper,
)
from kiosk.services.notices import device_out, host_said_no, host_silent
from kiosk.services.pin_steps import verified_pin
from kiosk.services.same_card import same_card_or_back

NEEDS = ("card_reader", "pin_pad", "receipt_printer")
CREDIT_S_MAX = 90.0  # three times told, each as long as the link waits, and the pauses between


async def pay_inpatient_deposit(kiosk: Kiosk) -> Outcome:
    # Who is asking, and do they stay in this hospital?
    ended = await verified_pin(kiosk, initial_permitted=False)
    if ended:
        return ended
    visit = kiosk.visit
    try:
        stay = await kiosk.wait(pages.looking(), lambda: kiosk.hospital.admission(visit.identity, visit.holder))
    except HostRefused as refusal:
        return await host_said_no(kiosk, refusal)
    except OutcomeUnknown:
        return await host_silent(kiosk, act="admission")
    if stay is None:
        await kiosk.ask(pages.no_stay())
        return Outcome.DONE

    # How much, and by which means? Nothing is taken unless a receipt can be printed.
    amount = await _chosen_amount(kiosk, stay)
    await kiosk.ask(pages.confirm(stay, amount))
    if not kiosk.receipt_health.condition.usable:
        return await device_out(kiosk, DeviceFault("receipt_printer", kiosk.receipt_health))
    by, cash_works = await _chosen_means(kiosk, amount)

    # The money, then the hospital. Until it is asked everything can be taken back.
    purse, depositing = Purse(), Depositing(stay, amount, kiosk.clock.new_key())
    try:
        depositing = await _paid(kiosk, depositing, purse, by, cash_works)
        number = await kiosk.wait(
            pages.crediting(), lambda: deposit(kiosk, depositing, purse), to_the_end_s=CREDIT_S_MAX
        )
    except HostRefused as refusal:
        await _undo(kiosk, purse, "refused", depositing.payment)
        return await host_said_no(kiosk, refusal, card_needed=False)
    except StillUnknown as unknown:
        return await _bank_pending(kiosk, depositing, unknown.at_bank_fen)
    except DeviceFault as fault:
        await _undo(kiosk, purse, "device")
        return await device_out(kiosk, fault, card_needed=False)
    except (Back, ResidentLeft) as left:
        await _undo(kiosk, purse, "stopped" if isinstance(left, Back) else left.how)
        raise
    except (NotCreditedYet, OutcomeUnknown):
        # Also when it outlived every limit: what the hospital may have credited is never given back by guessing.
        return await _pending(kiosk, depositing, purse)

    # Credited; then what was fed too much, then paper.
    book_deposited(kiosk, depositing, number, purse)
    await give_back(kiosk, purse, "change")
    back, printed = await print_and_tell(kiosk)
    await kiosk.ask(pages.credited(visit.case_code, depositing.amount_fen, back, printed), card_needed=False)
    return Outcome.DONE


async def _chosen_amount(kiosk: Kiosk, stay: Admission) -> Fen:
    """One of the round amounts, or one that is typed, within what the region and the notes allow."""
    least, most = _limits(kiosk)
    offered = [Fen(one) for one in kiosk.settings.cash.deposit_offers_fen if least <= one <= most]
    chosen = await kiosk.ask(pages.choose_amount(stay, offered))
    if chosen != pages.OTHER:
        return Fen(int(chosen))
    question = pages.type_amount(least, most)
    while True:
        amount = Fen(100 * int(digits_given(await kiosk.ask(question))))
        if least <= amount <= most:
            return amount
        question = pages.type_amount(least, most, again=True)


def _limits(kiosk: Kiosk) -> tuple[Fen, Fen]:
    """Least and most of one deposit (money-rules 20).

    Raises:
        DeviceFault: no bank card can pay here, and the acceptor is out or may take too little.
    """
    rules = kiosk.settings.cash
    most = Fen(rules.deposit_fen_max) if "bank" in kiosk.settings.hosts else _most_in_notes(kiosk)
    if most < rules.deposit_fen_min:
        raise DeviceFault("cash_acceptor", Health(Condition.DEGRADED, NO_MORE_NOTES))
    return Fen(rules.deposit_fen_min), most


def _most_in_notes(kiosk: Kiosk) -> Fen:
    """Raises DeviceFault: the acceptor is out."""
    rules = kiosk.settings.cash
    room_fen = rules.content_fen_max - kiosk.cash_inside_fen
    return Fen(min(rules.deposit_fen_max, rules.notes_max * max(kiosk.cash_acceptor.denominations), room_fen))


async def _chosen_means(kiosk: Kiosk, amount: Fen) -> tuple[str, bool]:
    """The means, and whether notes would do as well.

    Raises:
        Back: none works now, and the resident was told why.
    """
    means = await kiosk.wait(pages.looking_for_means(), lambda: means_now(kiosk, amount))
    if CASH in means.working and amount > _most_in_notes(kiosk):
        means = Means(tuple(one for one in means.working if one != CASH), {**means.why_not, CASH: "cash_acceptor"})
    if not means.working:
        await kiosk.ask(card_pages.cannot_pay_here(means))
    if len(means.working) == 1:
        return means.working[0], False
    return await kiosk.ask(card_pages.choose_means(amount, means)), True


async def _paid(kiosk: Kiosk, depositing: Depositing, purse: Purse, by: str, cash_works: bool) -> Depositing:
    """With the bank's approval, or with notes inside.

    Raises:
        Back, ResidentLeft, DeviceFault: what is inside stays in ``purse``. StillUnknown: the bank does not say.
    """
    if by == BANK_CARD:
        try:
            return replace(depositing, payment=await pay_with_card(kiosk, depositing.amount_fen, cash_works))
        except InNotes:
            pass  # the bank surely took nothing
    collected = await _collect(kiosk, depositing.amount_fen, purse)
    await same_card_or_back(kiosk, purse)
    return replace(depositing, amount_fen=collected)


async def _collect(kiosk: Kiosk, amount: Fen, purse: Purse) -> Fen:
    """What will be paid in: the whole amount, or what is inside where that is enough or nothing more can be taken."""
    least = Fen(kiosk.settings.cash.deposit_fen_min)

    def page(due: Fen, purse: Purse, accepted: tuple[Fen, ...]) -> Question:
        return pages.feed_notes(due, purse, accepted, least)

    try:
        await collect_notes(kiosk, amount, purse, page)
    except Chose:
        return min(amount, purse.inside_fen)
    except DeviceFault as fault:
        if fault.health.reason != NO_MORE_NOTES or purse.inside_fen < least:
            raise
        await kiosk.ask(pages.no_more_notes(purse), patience_s=kiosk.settings.cash.next_note_s)
        return min(amount, purse.inside_fen)
    return amount


async def _undo(kiosk: Kiosk, purse: Purse, reason: str, payment: BankPayment | None = None) -> None:
    """Nothing was credited: money back the way it came, and its paper."""
    inside = purse.inside_fen
    await give_back(kiosk, purse, reason)
    if payment:
        await back_to_the_card(kiosk, payment)
    if inside or payment:
        await _print(kiosk)
    kiosk.journal.record("deposit_undone", kiosk.visit.case_code, reason=reason)


async def _pending(kiosk: Kiosk, depositing: Depositing, purse: Purse) -> Outcome:
    held = purse.inside_fen
    hand_over(kiosk, depositing, purse)
    printed = await _print(kiosk)
    await kiosk.ask(pages.not_credited_yet(kiosk.visit.case_code, held, printed), card_needed=False)
    return Outcome.UNKNOWN


async def _bank_pending(kiosk: Kiosk, depositing: Depositing, at_bank: Fen) -> Outcome:
    """Nothing was deposited, and the bank will say later that it took nothing: the terminal goes on asking."""
    book_unpaid(kiosk, depositing, at_bank)
    printed = await _print(kiosk)
    await kiosk.ask(pages.bank_silent(kiosk.visit.case_code, at_bank, printed), card_needed=False)
    return Outcome.UNKNOWN


async def _print(kiosk: Kiosk) -> bool:
    owed = paper_of_visit(kiosk)
    assert owed is not None, "whoever gave money here is owed a paper"
    return await print_paper(kiosk, owed)
