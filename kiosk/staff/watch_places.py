"""Once a day, with nobody in front: what the cash devices count, against the books. Nothing is opened, nobody is paid.

Staff see the same at the end of day and when they compare the books. Here a difference becomes an open case by itself,
so that a terminal that no staff visit for a week is compared all the same.
"""

from collections.abc import Callable
from typing import NoReturn

import trio

from kiosk.money.run_reconciliation import today
from kiosk.ports.staff import StaffKiosk
from kiosk.staff.counted import Till, money_moves
from kiosk.staff.places import PlaceDifference, counted_places, open_differences, place_difference

LOOK_S = 600.0
COMPARED = "places_compared"


async def keep_comparing_places(kiosk: StaffKiosk, live_case: Callable[[], str]) -> NoReturn:
    """For as long as the process lives. ``live_case``: "" while nobody is in front. What could not be compared, because
    a device was silent or somebody came, is tried again ten minutes later."""
    while True:
        await trio.sleep(LOOK_S)
        if _due(kiosk) and not live_case():
            await _compare(kiosk, live_case)


def _due(kiosk: StaffKiosk) -> bool:
    last = kiosk.journal.last(COMPARED)
    return bool(counted_places(kiosk)) and (last is None or (last.facts or {}).get("day") != _day(kiosk))


async def _compare(kiosk: StaffKiosk, live_case: Callable[[], str]) -> None:
    if money_moves(kiosk):
        return
    told = [(till, await place_difference(kiosk, till)) for till in counted_places(kiosk)]
    if live_case() or money_moves(kiosk):
        return  # a note may have come between the two figures
    compared = [(till, found) for till, found in told if found is not None]
    if compared:
        _book(kiosk, compared)


def _book(kiosk: StaffKiosk, compared: list[tuple[Till, PlaceDifference]]) -> None:
    differing = [(till, found) for till, found in compared if found]
    if differing:
        open_differences(kiosk, differing, kiosk.clock.new_case_code())
    agree = len(compared) - len(differing)
    kiosk.journal.record(COMPARED, "", day=_day(kiosk), agree=agree, differ=len(differing))


def _day(kiosk: StaffKiosk) -> str:
    return today(kiosk.clock).isoformat()
