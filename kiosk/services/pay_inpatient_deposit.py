"""Pay an inpatient deposit in notes: the stay, the amount, the notes, the hospital's credit, the receipt.

The only deposit there is (money-rules 13). What each step commits before and after it stands in ``kiosk/money``.
"""

from kiosk.domain.health import Condition, Health
from kiosk.domain.money import Fen
from kiosk.domain.settlement import Admission
from kiosk.money.book_deposit import Depositing, NotCreditedYet, book_deposited, deposit, hand_over
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
from kiosk.services import deposit_pages as pages
from kiosk.services.cash_steps import NO_MORE_NOTES, collect_notes, give_back, paper_of_visit, print_paper
from kiosk.services.notices import device_out, host_said_no, host_silent
from kiosk.services.pin_steps import verified_pin

NEEDS = ("card_reader", "pin_pad", "receipt_printer", "cash_acceptor")
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

    # How much? Nothing is taken unless a receipt can be printed.
    amount = await _chosen_amount(kiosk, stay)
    await kiosk.ask(pages.confirm(stay, amount))
    if not kiosk.receipt_health.condition.usable:
        return await device_out(kiosk, DeviceFault("receipt_printer", kiosk.receipt_health))

    # Notes, then the hospital. Until it is asked everything can be taken back.
    purse = Purse()
    try:
        amount = await _collect(kiosk, amount, purse)
        depositing = Depositing(stay, amount, kiosk.clock.new_key())
        number = await kiosk.wait(pages.crediting(), lambda: deposit(kiosk, depositing), to_the_end_s=CREDIT_S_MAX)
    except HostRefused as refusal:
        await _undo(kiosk, purse, "refused")
        return await host_said_no(kiosk, refusal, card_needed=False)
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
    over = purse.inside_fen
    change = await give_back(kiosk, purse, "change")
    printed = await _print(kiosk)
    page = pages.credited(visit.case_code, amount, change, Fen(over - change), printed)
    await kiosk.ask(page, card_needed=False)
    return Outcome.DONE


async def _chosen_amount(kiosk: Kiosk, stay: Admission) -> Fen:
    """One of the round amounts, or one that is typed, within what the region and the notes allow."""
    least, most = _limits(kiosk)
    offered = [Fen(one) for one in kiosk.settings.cash.deposit_offers_fen if least <= one <= most]
    chosen = await kiosk.ask(pages.choose_amount(stay, offered))
    if chosen != pages.OTHER:
        return Fen(int(chosen))
    question, smallest = pages.type_amount(least, most), min(kiosk.cash_acceptor.denominations)
    while True:
        amount = Fen(100 * int(digits_given(await kiosk.ask(question))))
        if least <= amount <= most and amount % smallest == 0:
            return amount
        question = pages.type_amount(least, most, again=True)


def _limits(kiosk: Kiosk) -> tuple[Fen, Fen]:
    """Least and most of one deposit (money-rules 20).

    Raises:
        DeviceFault: the acceptor is out, or what it may still take is too little.
    """
    rules = kiosk.settings.cash
    largest = max(kiosk.cash_acceptor.denominations)
    room_fen = rules.content_fen_max - kiosk.cash_inside_fen
    most = min(rules.deposit_fen_max, rules.notes_max * largest, room_fen)
    if most < rules.deposit_fen_min:
        raise DeviceFault("cash_acceptor", Health(Condition.DEGRADED, NO_MORE_NOTES))
    return Fen(rules.deposit_fen_min), Fen(most)


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


async def _undo(kiosk: Kiosk, purse: Purse, reason: str) -> None:
    """Nothing was credited: money back, and its paper."""
    inside = purse.inside_fen
    await give_back(kiosk, purse, reason)
    if inside:
        await _print(kiosk)
    kiosk.journal.record("deposit_undone", kiosk.visit.case_code, reason=reason)


async def _pending(kiosk: Kiosk, depositing: Depositing, purse: Purse) -> Outcome:
    held = purse.inside_fen
    hand_over(kiosk, depositing, purse)
    printed = await _print(kiosk)
    await kiosk.ask(pages.not_credited_yet(kiosk.visit.case_code, held, printed), card_needed=False)
    return Outcome.UNKNOWN


async def _print(kiosk: Kiosk) -> bool:
    owed = paper_of_visit(kiosk)
    assert owed is not None, "whoever gave money here is owed a paper"
    return await print_paper(kiosk, owed)
