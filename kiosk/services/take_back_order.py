"""A bill that was left here is taken back by its holder, whose PIN is verified: it can be paid elsewhere then."""

from kiosk.domain.entries import AlreadyClosed
from kiosk.money.purse import Purse
from kiosk.money.receipts_owed import receipts_owed
from kiosk.money.settlement_orders import SettlementOrder
from kiosk.money.take_back_order import may_take_back, take_back
from kiosk.ports import Kiosk, Outcome
from kiosk.services import order_pages as pages
from kiosk.services.cash_steps import print_paper
from kiosk.services.same_card import same_card_or_back


async def left_before(kiosk: Kiosk, order: SettlementOrder) -> Outcome:
    """What becomes of an order that waits is its holder's to say, until it is being settled. Raises Back: it stays."""
    can = may_take_back(kiosk.journal, order)
    if await kiosk.ask(pages.already_left(order, can_take_back=can)) != pages.TAKE_BACK:
        return Outcome.REFUSED
    await kiosk.ask(pages.confirm_taking_back(order))
    await same_card_or_back(kiosk, Purse())
    try:
        seq = take_back(kiosk.journal, kiosk.clock, order)
    except AlreadyClosed:
        await kiosk.ask(pages.too_late(order))
        return Outcome.REFUSED
    printed = await _print(kiosk, seq)
    await kiosk.ask(pages.taken_back(order, printed), card_needed=False)
    return Outcome.DONE


async def _print(kiosk: Kiosk, paper: int) -> bool:
    """Whether it is surely out; else it is owed to the card like every other paper."""
    if not kiosk.receipt_health.condition.usable:
        return False
    owed = receipts_owed(kiosk.journal, kiosk.visit.identity.card_number)
    return await print_paper(kiosk, next(one for one in owed if one.paper == paper))
