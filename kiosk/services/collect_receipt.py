"""Collect a receipt that is owed: never printed, not surely printed, or of an outcome that became known later.

One paper at a time, by the same card and PIN. It is owed until the printer said "printed" (money-rules 23).
"""

from kiosk.money.receipts_owed import OwedReceipt, receipts_owed
from kiosk.ports import DeviceFault, Kiosk, Outcome
from kiosk.services import collect_pages as pages
from kiosk.services.cash_steps import print_paper
from kiosk.services.notices import device_out
from kiosk.services.pin_steps import verified_pin

NEEDS = ("card_reader", "pin_pad", "receipt_printer")


async def collect_receipt(kiosk: Kiosk) -> Outcome:
    ended = await verified_pin(kiosk, initial_permitted=False)
    if ended:
        return ended
    while True:
        # Which one? Read anew each time: what was printed is not owed any more.
        owed = receipts_owed(kiosk.journal, kiosk.visit.identity.card_number)
        if not owed:
            await kiosk.ask(pages.no_papers())
            return Outcome.DONE
        chosen = await kiosk.ask(pages.choose_paper(owed))
        paper = next(one for one in owed if str(one.paper) == chosen)

        # Nothing is marked as tried while surely nothing can come out.
        if not kiosk.receipt_health.condition.usable:
            return await device_out(kiosk, DeviceFault("receipt_printer", kiosk.receipt_health))
        if not await _print(kiosk, paper):
            await kiosk.ask(pages.not_printed(paper.case_code), card_needed=False)
            return Outcome.UNKNOWN
        await kiosk.ask(pages.printed(len(owed) - 1))  # the paper is out: who takes the card as well is seen off by it
        if len(owed) == 1:
            return Outcome.DONE


async def _print(kiosk: Kiosk, paper: OwedReceipt) -> bool:
    """A copy of what may already be out says so on its face."""
    kiosk.screen.show(pages.printing())
    return await print_paper(kiosk, paper, reprint=paper.tried)
