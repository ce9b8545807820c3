"""The card whose PIN was given is still in the slot: asked before each intent about money (pins-and-keys 12)."""

from kiosk.money.purse import Purse
from kiosk.ports import CardGone, DeviceFault, Kiosk, ResidentLeft
from kiosk.services import bill_pages as pages


async def still_the_same_card(kiosk: Kiosk) -> None:
    """A quick swap can be invisible to the reader's watch.

    Raises:
        ResidentLeft: it is another one, or nobody can say.
    """
    try:
        same = await kiosk.card_reader.same_card(kiosk.visit.identity)
    except (CardGone, DeviceFault):
        same = False
    if not same:
        raise ResidentLeft("card_pulled")


async def same_card_or_back(kiosk: Kiosk, purse: Purse) -> None:
    """With notes inside the same card has a minute to come back; any other never.

    Raises:
        ResidentLeft.
    """
    try:
        await still_the_same_card(kiosk)
    except ResidentLeft:
        if not purse.inside_fen or not await same_card_back(kiosk):
            raise


async def same_card_back(kiosk: Kiosk) -> bool:
    return await kiosk.wait_same_card(pages.card_out(), kiosk.settings.cash.same_card_s)
