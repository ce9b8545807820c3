"""Notes in, one at a time: intent committed, STACK, credit committed, and only then may the device forget (rule 14)."""

import trio

from kiosk.domain.books import Account, balanced
from kiosk.domain.cash import (
    CashEvent,
    CashFault,
    DispenseResult,
    Escrow,
    NoteUncertain,
    Rejected,
    Returned,
    Stacked,
    UnitKind,
)
from kiosk.domain.entries import NewEntry
from kiosk.domain.health import Condition, Health
from kiosk.domain.money import Fen
from kiosk.money.purse import Purse, plan_change
from kiosk.money.recover import book_finding
from kiosk.ports import CashModule, DeviceFault, Kiosk, ResidentLeft

GONE_BACK = "no_note_in_escrow"
# Each of them is two rows and cannot be fewer: a STACK without an intent of its own, or an intent that is never ended,
# would be a note that nobody could explain after a power cut (rules 3 and 14). So the times are bounded, in one visit.
RETURNED_MAX = 20
NOTE_S_MAX = 45.0  # longest that a device may take from STACK to its outcome (CCNET: 30 s)


async def acceptable_notes(kiosk: Kiosk, due_fen: Fen, purse: Purse) -> tuple[Fen, ...]:
    """Denominations whose change could be paid if one more of them came now (rule 13), within the caps (rule 20). None
    where the device gave back one note after the other.

    Raises:
        DeviceFault: the disk could not take the story of another note.
    """
    if not kiosk.journal.has_room():
        raise DeviceFault("cash_acceptor", Health(Condition.FAULT, "disk_full"))
    rules = kiosk.settings.cash
    if purse.notes >= rules.notes_max or purse.returned >= RETURNED_MAX:
        return ()
    room_fen = rules.content_fen_max - kiosk.cash_inside_fen
    units = await kiosk.cash_dispenser.unit_status() if kiosk.cash_dispenser else ()
    owed_max = rules.change_owed_fen_max

    def changeable(denomination: Fen) -> bool:
        change = Fen(purse.inside_fen + denomination - due_fen)
        return change <= 0 or plan_change(change, units).rest_fen <= owed_max

    return tuple(one for one in kiosk.cash_acceptor.denominations if one <= room_fen and changeable(one))


async def take_one_note(kiosk: Kiosk, purse: Purse) -> None:
    """Wait for what the acceptor tells next and book it.

    Raises:
        ResidentLeft: nothing came in the time that notes inside allow.
        DeviceFault: the acceptor is gone or needs staff.
    """
    rules = kiosk.settings.cash
    patience_s = rules.next_note_s if purse.inside_fen else rules.first_note_s
    with trio.move_on_after(patience_s):
        # The one that tells is the one that may forget, also when its slot is out of order by then.
        cash = kiosk.cash_acceptor
        event = await cash.next_event()
        # From here a note is moving: nothing may come between, not even a pulled card.
        with trio.CancelScope(shield=True, deadline=trio.current_time() + 2 * NOTE_S_MAX):
            await _live_through(kiosk, cash, event, purse)
        return
    raise ResidentLeft("timeout")


async def _live_through(kiosk: Kiosk, cash: CashModule, event: CashEvent, purse: Purse) -> None:
    if not isinstance(event, Escrow):
        book(kiosk, cash, event, purse)
        return
    visit = kiosk.visit
    facts: dict[str, str | int] = {"denomination_fen": event.denomination, "note": event.note_id}
    kiosk.journal.commit(
        NewEntry("note_intent", visit.case_code, facts, visit.identity.card_number, opens=_note_key(event.note_id))
    )
    cash.acknowledge(event)
    try:
        await cash.stack()
    except DeviceFault as fault:
        # While the card was looked for it went back by itself: that is what the device tells next.
        if fault.health.reason != GONE_BACK:
            raise
    with trio.move_on_after(NOTE_S_MAX):
        while True:
            follow = await cash.next_event()
            book(kiosk, cash, follow, purse)
            if isinstance(follow, Stacked | Returned | NoteUncertain) and follow.note_id == event.note_id:
                return
    # The device fell silent with the note on its way: the intent stays open, recovery will find out.
    raise DeviceFault("cash_acceptor", Health(Condition.UNKNOWN, "note_on_its_way"))


def book(kiosk: Kiosk, cash: CashModule, event: CashEvent, purse: Purse) -> None:
    """Commit what the device told, then let it forget. A repeated event was already forgotten by the driver."""
    visit = kiosk.visit
    card = visit.identity.card_number
    match event:
        case Stacked(denomination, destination, credit_id, note_id):
            place = Account.DRUMS if _is_drum(kiosk, destination) else Account.CASH_BOX
            moved = balanced((place, denomination), (Account.RESIDENT, -denomination))
            facts: dict[str, str | int] = {"credit": credit_id, "denomination_fen": denomination, "to": destination}
            kiosk.journal.commit(
                NewEntry("note_credited", visit.case_code, facts, card, moved, closes=_note_key(note_id))
            )
            purse.inside_fen = Fen(purse.inside_fen + denomination)
            purse.notes += 1
        case Returned(_, note_id):
            kiosk.journal.commit(NewEntry("note_returned", visit.case_code, {}, card, closes=_note_key(note_id)))
            purse.returned += 1
        case NoteUncertain(denomination, reason, note_id):
            # Neither credited nor given up: the effect stays open, and a person must look.
            value = denomination or 0
            told: dict[str, str | int] = {"note": note_id, "denomination_fen": value, "reason": reason}
            kiosk.journal.commit(NewEntry("note_uncertain", visit.case_code, told, card))
        case CashFault(reason, needs):
            kiosk.journal.record("cash_fault", visit.case_code, reason=reason, needs=needs)
            cash.acknowledge(event)
            if needs != "nobody":
                raise DeviceFault("cash_acceptor", Health(Condition.FAULT, reason))
            return
        case Rejected(code):
            _note_refusal(kiosk, code, purse)
        case DispenseResult():
            book_finding(kiosk.journal, kiosk.clock, event)  # of an earlier life: nobody pays while notes go in
        case _:
            kiosk.journal.record("cash_event", visit.case_code, what=type(event).__name__)
    cash.acknowledge(event)


def _note_refusal(kiosk: Kiosk, code: str, purse: Purse) -> None:
    """No fen moved. The first one is written, and then each time that it is twice as often: who feeds the same paper
    for hours fills no disk, and the story still says why and about how often."""
    times = purse.refused[code] = purse.refused.get(code, 0) + 1
    if times & (times - 1) == 0:
        kiosk.journal.record("note_refused", kiosk.visit.case_code, why=code, times=times)


def _is_drum(kiosk: Kiosk, destination: str) -> bool:
    return destination.startswith(UnitKind.RECYCLER.value)


def _note_key(note_id: str) -> str:
    return f"note:{note_id}" if note_id else ""
