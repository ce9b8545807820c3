"""Leave a settlement order: a bill that is settled when the line to the insurance is back (money-rules 11).

The hospital still says what the bill is. The holder, by card and chip PIN, says what may pay their part and how much at
most: the medical account alone, or notes that are received now and held for them. Nothing is settled here.
"""

from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.settlement import MedicalBill
from kiosk.money.means import ACCOUNT, CASH
from kiosk.money.purse import Purse
from kiosk.money.settlement_orders import ACT, order_entry, order_of
from kiosk.ports import Back, Chose, DeviceFault, HostRefused, Kiosk, Outcome, OutcomeUnknown, ResidentLeft
from kiosk.ports.offline import NotAllowedOffline
from kiosk.services import bill_pages
from kiosk.services import order_pages as pages
from kiosk.services.cash_steps import NO_MORE_NOTES, collect_notes, give_back, paper_of_visit, print_paper
from kiosk.services.notices import device_out, host_said_no, host_silent
from kiosk.services.offline_pages import refused_offline
from kiosk.services.pin_steps import verified_pin
from kiosk.services.same_card import same_card_or_back
from kiosk.services.take_back_order import left_before

NEEDS = ("card_reader", "pin_pad", "receipt_printer")
SMALLEST_NOTE_FEN = 100
LEAST_FEN = Fen(1)  # of an order for nothing nobody needs to be asked


def may_leave_order(kiosk: Kiosk) -> bool:
    """Whether it is worth telling a resident of it, when the insurance is silent. One who left a bill is told so."""
    card = kiosk.visit.identity.card_number
    return order_of(kiosk.journal, card) is not None or kiosk.offline.refusal(ACT, LEAST_FEN) is None


async def leave_settlement_order(kiosk: Kiosk, bill_id: str = "") -> Outcome:
    """``bill_id``: the bill that was chosen before the insurance fell silent."""
    # Who leaves it, and may they? One order at a time for one person.
    ended = await verified_pin(kiosk, initial_permitted=False)
    if ended:
        return ended
    before = order_of(kiosk.journal, kiosk.visit.identity.card_number)
    if before:
        return await left_before(kiosk, before)
    refusal = kiosk.offline.refusal(ACT, LEAST_FEN)
    if refusal:
        return await refused_offline(kiosk, ACT, refusal)

    # Which bill? The hospital's own network may be up while the insurance is silent; without it there is no bill.
    visit = kiosk.visit
    try:
        bills = await kiosk.wait(
            bill_pages.looking(), lambda: kiosk.hospital.unpaid_bills(visit.identity, visit.holder)
        )
    except HostRefused as refused:
        return await host_said_no(kiosk, refused)
    except OutcomeUnknown:
        return await host_silent(kiosk, act="bills")
    if not bills:
        await kiosk.ask(bill_pages.nothing_to_pay())
        return Outcome.DONE
    await kiosk.ask(pages.offer())
    known = [bill for bill in bills if bill.bill_id == bill_id]
    chosen = bill_id if known else await kiosk.ask(bill_pages.choose_bill(bills))
    bill = next(bill for bill in bills if bill.bill_id == chosen)

    # By which means, and how much at most?
    if not kiosk.receipt_health.condition.usable:
        return await device_out(kiosk, DeviceFault("receipt_printer", kiosk.receipt_health))
    means = await kiosk.ask(pages.choose_means(bill)) if _takes_notes(kiosk) else ACCOUNT
    limit = kiosk.offline.most_fen(ACT)
    if means == ACCOUNT:
        most = min(limit, bill.total_fen)
        await kiosk.ask(pages.confirm_account(bill, most))
        return await _leave(kiosk, bill, means, most, Purse())
    covered = min(limit, Fen(-(-bill.total_fen // SMALLEST_NOTE_FEN) * SMALLEST_NOTE_FEN))
    await kiosk.ask(pages.confirm_cash(bill, covered))
    return await _leave_notes(kiosk, bill, covered, limit)


async def _leave_notes(kiosk: Kiosk, bill: MedicalBill, covered: Fen, limit: Fen) -> Outcome:
    """Notes until the bill is covered, the limit reached, or the holder says that it is enough."""
    purse = Purse()
    try:
        await collect_notes(kiosk, covered, purse, pages.feed_notes, inside_fen_max=limit)
    except Chose:
        pass  # that is enough
    except DeviceFault as fault:
        if not (purse.inside_fen and fault.health.reason == NO_MORE_NOTES):
            await _undo(kiosk, purse, "device")
            return await device_out(kiosk, fault)
    except (Back, ResidentLeft) as left:
        await _undo(kiosk, purse, "stopped" if isinstance(left, Back) else left.how)
        raise
    return await _leave(kiosk, bill, CASH, purse.inside_fen, purse)


async def _leave(kiosk: Kiosk, bill: MedicalBill, means: str, most: Fen, purse: Purse) -> Outcome:
    """The order in one commit, judged again by the agency's rules. From there on it is the forwarder's."""
    try:
        await same_card_or_back(kiosk, purse)
    except ResidentLeft as left:
        await _undo(kiosk, purse, left.how)
        raise
    try:
        kiosk.offline.commit(ACT, most, order_entry(kiosk.visit, kiosk.clock, bill, means, most))
    except NotAllowedOffline as refused:
        await _undo(kiosk, purse, "refused")
        return await refused_offline(kiosk, ACT, refused.refusal, card_needed=False)
    held, purse.inside_fen = purse.inside_fen, NOTHING
    printed = await _print(kiosk)
    await kiosk.ask(pages.left(kiosk, held, printed), card_needed=False)
    return Outcome.DONE


def _takes_notes(kiosk: Kiosk) -> bool:
    """No note is accepted unless a receipt can be printed (rule 13), and none beyond what the policy allows."""
    try:
        assert kiosk.cash_acceptor is not None
    except DeviceFault:
        return False
    return kiosk.receipt_health.condition.usable and kiosk.offline.most_fen(ACT) >= SMALLEST_NOTE_FEN


async def _undo(kiosk: Kiosk, purse: Purse, reason: str) -> None:
    """Nothing was left: what is inside goes back, or is owed where nobody is known to stand there."""
    inside = purse.inside_fen
    await give_back(kiosk, purse, reason)
    if inside:
        await _print(kiosk)


async def _print(kiosk: Kiosk) -> bool:
    """Whether this visit's receipt is surely out."""
    owed = paper_of_visit(kiosk)
    return owed is not None and await print_paper(kiosk, owed)
