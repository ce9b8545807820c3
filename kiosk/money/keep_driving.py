"""For as long as the process lives: what the platform has not told us, and what must be undone there (rule 10)."""

from collections.abc import Callable, Collection
from typing import NoReturn

import trio

from kiosk.domain.entries import AlreadyClosed
from kiosk.money.drive_due import drive_due
from kiosk.money.drive_unknown import drive_unknown
from kiosk.ports import Clock, Journal
from kiosk.ports.money import MedicalInsurance

LOOK_S = 20.0
BACK_OFF_S_MAX = 300.0  # most are to be known within ten minutes (money-rules 2)


async def keep_driving(
    journal: Journal, clock: Clock, platform: MedicalInsurance, live: Callable[[], Collection[str]]
) -> NoReturn:
    """Look again after 20 s, doubled up to 5 minutes while nothing becomes known."""
    pause_s, open_before = LOOK_S, 0
    while True:
        try:
            still_open = await drive_unknown(journal, clock, platform, live())
            still_open += await drive_due(journal, clock, platform, live())
        except AlreadyClosed:  # staff of the other process closed it by the day's detail meanwhile
            still_open = 0
        pause_s = min(2 * pause_s, BACK_OFF_S_MAX) if 0 < still_open <= open_before else LOOK_S
        open_before = still_open
        await trio.sleep(pause_s)
