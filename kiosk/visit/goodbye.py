"""The end of a visit: the card is taken, the paper is taken, and staff hear of what stays behind."""

from dataclasses import dataclass
from functools import partial

import trio

from kiosk.basics.race import first_of
from kiosk.ports import OutletEye, Place
from kiosk.visit.desk import Desk
from kiosk.visit.questions import card_inside, paper_left, take_card, take_paper

INTERRUPTED = "interrupted"  # by the kiosk's own end, or by the reader's: what the slot holds belongs to nobody known


@dataclass(frozen=True)
class VisitEnd:
    """How a visit ended, how many papers came out, and whether the next card is in already, put in under our eyes."""

    how: str
    papers: int = 0
    receipts: int = 0  # of these
    next_in: bool = False
    pin_in_doubt: bool = False  # a change of the chip's PIN began and never ended

    @property
    def outlets(self) -> tuple[Place, ...]:
        sheets = (Place.PAGE_OUTLET,) if self.papers > self.receipts else ()
        return (*sheets, Place.RECEIPT_OUTLET) if self.receipts else sheets


async def goodbye(desk: Desk, end: VisitEnd, errands: trio.Nursery) -> None:
    """The page is gone at once; its picture stays until the card is out, and staff hear of a forgotten card.

    Whoever is still there is told in the language, size and voice they chose; a forgotten card belongs to nobody here.
    ``errands`` is for what nobody waits for.
    """
    forgotten = end.how in ("timeout", INTERRUPTED)
    if forgotten:
        desk.screen.clear_session()
    reminded = desk.card_slot.inside and not end.next_in
    if reminded:
        page = take_card(with_paper=end.papers > 0, forgotten=forgotten, outlets=end.outlets)
        if end.how == INTERRUPTED:
            page = card_inside(pin_in_doubt=end.pin_in_doubt)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_tell_staff, desk)  # also who touched "finish" may walk away without the card
            await first_of(partial(desk.ask_anyone, page), desk.card_slot.empty)
            nursery.cancel_scope.cancel()
    await _see_paper_off(desk, end, reminded, errands)


async def _tell_staff(desk: Desk) -> None:
    code = desk.clock.new_case_code()
    await trio.sleep(desk.settings.timing.card_left_s)
    await desk.call_staff("card_left", code, "card_left_behind")


async def _see_paper_off(desk: Desk, end: VisitEnd, reminded: bool, errands: trio.Nursery) -> None:
    """A receipt that the printer sees is waited for; of other paper the page can only remind."""
    eye = desk.outlet_eye if end.receipts or end.how == INTERRUPTED else None
    if eye is not None and eye.paper_waiting:
        await _until_taken(desk, end, eye, errands)
    unseen = end.papers if eye is None else end.papers - end.receipts
    if not unseen or reminded:
        return
    with trio.move_on_after(desk.settings.timing.paper_left_s) as patience:
        await first_of(partial(desk.ask_anyone, take_paper(end.outlets)), desk.card_slot.inserted)
    if patience.cancelled_caught:  # that outlet has no eyes: nobody said that it was taken, more is not known
        desk.journal.record("paper_perhaps_left", papers=unseen)


async def _until_taken(desk: Desk, end: VisitEnd, eye: OutletEye, errands: trio.Nursery) -> None:
    """Light, tone and voice until it is taken, for as long as a paper may lie there, or until the next card comes."""
    page = paper_left(end.outlets or (Place.RECEIPT_OUTLET,))
    with trio.move_on_after(desk.settings.timing.paper_left_s):
        await first_of(eye.wait_taken, partial(desk.ask_anyone, page), desk.card_slot.inserted)
    if eye.paper_waiting is not False:
        errands.start_soon(_tell_of_paper, desk, eye)


async def _tell_of_paper(desk: Desk, eye: OutletEye) -> None:
    """It names a person: taken back where the printer can, and staff are told in any case."""
    code = desk.clock.new_case_code()
    desk.journal.record("paper_left", code, withdrawn=int(await eye.withdraw()))
    await desk.call_staff("paper_left", code, "paper_left_behind")
