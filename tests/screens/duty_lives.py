"""Two of staff go through everything there is, on a terminal with much to explain."""

from datetime import datetime
from pathlib import Path

from kiosk.domain.books import Account, balanced
from kiosk.domain.card import PinResult, PinVerdict
from kiosk.domain.entries import NewEntry
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceFault, Question
from simulators.pki import make_pki
from tests.flows.duty import DutyRoom

VALUES = (10_000, 5_000, 2_000, 1_000, 500, 100)
COUNT = {f"staff_count_{value}": 9 for value in VALUES} | {f"staff_load_{value}": 9 for value in VALUES}
ALL = {
    "staff_open": "done",
    "staff_seal": 123456789012,
    "staff_counted": "understood",
    "staff_status": "back",
    "staff_cases": "back",
    "staff_case": "back",
    "staff_figures": "done",
    "staff_booked": "understood",
    "staff_waits": "understood",
    "staff_may_not_approve": "understood",
    "staff_not_approved": "understood",
    "staff_nothing_waits": "understood",
    "staff_money_moves": "understood",
    "staff_end_of_day": "print",
    "staff_day_ended": "understood",
    "staff_not_now": "understood",
    "staff_pin_refused": "again",
}
HELD_FEN = 987_654_321


async def staff_pages(folder: Path, now: datetime) -> list[Question]:
    """What was asked and shown, in order; the clock stands at ``now``, so that the pages are the same every time."""
    room = DutyRoom(folder / "data", make_pki(folder / "pki", now))
    room.clock.moment = now
    found: list[Question] = []
    room.kiosk.receipts.broken = Health(Condition.FAULT, "paper_out")
    held = balanced((Account.CASH_BOX, HELD_FEN), (Account.SUSPENSE, -HELD_FEN))
    room.journal.commit(NewEntry("dispense_uncertain", "451207", {"unaccounted_fen": HELD_FEN}, "C1", held))
    room.kiosk.pin.verdicts = [PinVerdict(PinResult.WRONG, 2), PinVerdict(PinResult.OK)]
    first, second = room.card("1001", "clerk", now=now), room.card("1002", "supervisor", now=now)
    everything = ["status", "cases", "approve", "cash_box", "cash_box", "drums", "approve", "end_of_day", "finish"]
    plan = [
        (first, everything, {"staff_cases": ["451207", "back"]}),
        (second, ["approve", "approve", "finish"], {"staff_approve": ["approve", "refuse"]}),
    ]
    for card, menu, more in plan:
        await room.visit(card, staff_menu=menu, **(ALL | COUNT | more))
        found += [*room.kiosk.screen.asked, *room.kiosk.screen.shown]
    room.kiosk.receipts.fault = DeviceFault("receipt_printer", Health(Condition.FAULT, "paper_out"))
    await room.visit(first, staff_menu=["end_of_day", "finish"], **ALL)
    found += room.kiosk.screen.asked
    room.reader.signatures_left = 2  # enough to be let in
    await room.visit(first, staff_menu=["cash_box", "finish"], **ALL)
    found += room.kiosk.screen.asked
    room.reader.signatures_left = None
    room.journal.commit(NewEntry("note_intent", "451208", {"note": "n"}, opens="note:n"))
    await room.visit(first, staff_menu=["cash_box", "finish"], **ALL)
    found += room.kiosk.screen.asked
    room.journal.close()
    return [one for one in found if one.name.startswith("staff_")]
