"""Collect a receipt that is owed: never printed, not surely printed, or of an outcome that became known later.

One paper at a time, by the same card and PIN. It is owed until the printer said "printed" (money-rules 23). A bill that
was left at another terminal has its receipt here, too, where the hospital keeps a register of them.
"""

from kiosk.domain.settlement import HeldReceipt
from kiosk.money.held_receipts import KEY, elsewhere, note_handed_out, take_over
from kiosk.money.receipts_owed import OwedReceipt, receipts_owed
from kiosk.ports import DeviceFault, HostRefused, Kiosk, Outcome, OutcomeUnknown
from kiosk.services import collect_pages as pages
from kiosk.services.cash_steps import print_paper
from kiosk.services.notices import device_out, host_said_no, host_silent
from kiosk.services.pin_steps import verified_pin

NEEDS = ("card_reader", "pin_pad", "receipt_printer")


async def collect_receipt(kiosk: Kiosk) -> Outcome:
    ended = await verified_pin(kiosk, initial_permitted=False)
    if ended:
        return ended
    registered = await kiosk.wait(pages.looking_for_papers(), lambda: _registered(kiosk))
    there = list(elsewhere(registered or (), kiosk.settings.terminal.terminal_id))
    while True:
        # Which one? Read anew each time: what was printed is not owed any more.
        owed = _owed(kiosk)
        if not owed and not there:
            await kiosk.ask(pages.no_papers())
            return Outcome.DONE
        chosen = await kiosk.ask(pages.choose_paper(owed, there))

        # Nothing is marked as tried while surely nothing can come out.
        if not kiosk.receipt_health.condition.usable:
            return await device_out(kiosk, DeviceFault("receipt_printer", kiosk.receipt_health))
        taken = next((one for one in there if one.key == chosen), None)
        if taken:
            ended = await _take(kiosk, taken)
            if ended:
                return ended
            there.remove(taken)
            owed = _owed(kiosk)
            chosen = str(owed[-1].paper)
        paper = next(one for one in owed if str(one.paper) == chosen)
        if not await _print(kiosk, paper, registered):
            await kiosk.ask(pages.not_printed(paper.case_code), card_needed=False)
            return Outcome.UNKNOWN
        more = len(owed) - 1 + len(there)
        await kiosk.ask(pages.printed(more))  # the paper is out: who takes the card as well is seen off by it
        if not more:
            return Outcome.DONE


def _owed(kiosk: Kiosk) -> tuple[OwedReceipt, ...]:
    return receipts_owed(kiosk.journal, kiosk.visit.identity.card_number)


async def _registered(kiosk: Kiosk) -> tuple[HeldReceipt, ...] | None:
    """None: the hospital does not say, or keeps none; what this terminal owes is printed all the same."""
    try:
        return await kiosk.hospital.held_receipts(kiosk.visit.identity)
    except (HostRefused, OutcomeUnknown) as problem:
        kiosk.log("held_receipts_not_told", error=type(problem).__name__)
        return None


async def _take(kiosk: Kiosk, held: HeldReceipt) -> Outcome | None:
    """Another terminal's is ours to print once the hospital says so; None: it is, and is owed here."""
    key = kiosk.clock.new_key()
    try:
        await kiosk.wait(pages.looking_for_papers(), lambda: kiosk.hospital.take_receipt(held.key, key))
    except HostRefused as refusal:
        return await host_said_no(kiosk, refusal)
    except OutcomeUnknown:
        return await host_silent(kiosk, act="receipts")
    take_over(kiosk, held)
    return None


async def _print(kiosk: Kiosk, paper: OwedReceipt, registered: tuple[HeldReceipt, ...] | None) -> bool:
    """A copy of what may already be out says so on its face: tried here, or taken by another terminal."""
    kiosk.screen.show(pages.printing())
    kept = paper.facts.get(KEY)
    gone = bool(kept) and registered is not None and kept not in {one.key for one in registered}
    printed = await print_paper(kiosk, paper, reprint=paper.tried or gone)
    if printed:
        note_handed_out(kiosk, paper)
    return printed
