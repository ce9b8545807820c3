"""What SSP events mean for the books when nobody is waiting for them: after a start, or too late."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from drivers.cash_module.ssp.codec import Code, Event
from kiosk.domain.cash import CashEvent, CashFault, DispenseResult, NoteUncertain, Returned, Stacked
from kiosk.domain.money import Fen

TROUBLES: dict[int, tuple[str, str, bool]] = {  # reason, who must come, whether the note inside is affected
    Code.SAFE_JAM: ("jam_with_note_safe", "staff", False),
    Code.UNSAFE_JAM: ("jam_in_path", "staff", True),
    Code.BOX_FULL: ("cash_box_full", "staff", False),
    Code.FRAUD: ("cheated", "alarm", True),
    Code.BOX_REMOVED: ("cash_box_removed", "alarm", False),
    Code.JAMMED: ("payout_jammed", "staff", False),
    Code.PAYOUT_ERROR: ("payout_error", "staff", False),
    Code.PAYOUT_OUT_OF_SERVICE: ("payout_out_of_service", "nobody", False),
    Code.FULL: ("store_full", "nobody", False),
}
BOX_MENDS = frozenset({Code.BOX_REMOVED, Code.BOX_FULL})
MENDED_BY_A_BOX = frozenset(TROUBLES[code][0] for code in BOX_MENDS)


def place_of(denomination: Fen | None, told: Iterable[Event], recycled: frozenset[Fen]) -> str:
    """Where a credited note lies: as the unit says beside the credit, else by the route that was set for it."""
    codes = {one.code for one in told}
    if Code.STORED in codes or Code.STACKED in codes:
        return "recycler" if Code.STORED in codes else "cash_box"
    return "recycler" if denomination in recycled else "cash_box"


def finding(
    event: Event,
    channels: Mapping[int, Fen],
    place: Callable[[Fen], str],
    new_credit: Callable[[], str],
) -> CashEvent:
    """One event as the books take it. ``place`` says where a credited note lies, ``new_credit`` names a credit."""
    denomination = channels.get(event.channel)
    if event.code in TROUBLES:
        return CashFault(*TROUBLES[event.code][:2])
    if event.code == Code.CREDIT and denomination is not None:
        return Stacked(denomination, place(denomination), new_credit())
    if event.code in (Code.STACKED_AT_POWER_UP, Code.STORED_AT_POWER_UP) and Fen(event.total) in channels.values():
        at_start = "recycler" if event.code == Code.STORED_AT_POWER_UP else "cash_box"
        return Stacked(Fen(event.total), at_start, new_credit())
    if event.code == Code.CLEARED_FROM_FRONT:
        return Returned(denomination, taker_known=False)
    if event.code in (Code.DISPENSED, Code.INCOMPLETE, Code.TIME_OUT, Code.HALTED, Code.DISPENSED_AT_POWER_UP):
        reason = Code(event.code).name.lower()
        return DispenseResult((), (), 0, 0, certain=False, reason=reason, presented_sum=Fen(event.total))
    # A note went to the cash box by itself (E2), or one whose value the device does not know.
    return NoteUncertain(denomination, Code(event.code).name.lower())


def wants_staff(events: Sequence[Event]) -> str:
    """Why somebody must come, of what waited for us; "" for nobody. A box that was out and is in again is over; what
    a box alone will not mend is named before it."""
    codes = [event.code for event in events]
    reasons = []
    for place, code in enumerate(codes):
        reason, needs, _ = TROUBLES.get(code, ("", "nobody", False))
        is_back = code in BOX_MENDS and Code.BOX_BACK in codes[place:]
        if needs != "nobody" and not is_back:
            reasons.append(reason)
    return min(reasons, key=MENDED_BY_A_BOX.__contains__, default="")
