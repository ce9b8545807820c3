"""For as long as the process lives: what the platform has not told us, and what must be undone there (rule 10)."""

from collections.abc import Callable, Collection
from typing import NoReturn

from kiosk.domain.entries import AlreadyClosed
from kiosk.money.drive_due import drive_due
from kiosk.money.drive_unknown import drive_unknown
from kiosk.money.due import DUE
from kiosk.money.pauses import Pauses
from kiosk.ports import Clock, Journal
from kiosk.ports.money import MedicalInsurance

_ACTS = ("settle_intent", DUE)


async def keep_driving(
    journal: Journal, clock: Clock, platform: MedicalInsurance, live: Callable[[], Collection[str]]
) -> NoReturn:
    """Look again and again, as ``Pauses`` says."""
    pauses = Pauses(journal, _ACTS, live)
    while True:
        try:
            still_open = await drive_unknown(journal, clock, platform, live())
            still_open += await drive_due(journal, clock, platform, live())
        except AlreadyClosed:  # staff of the other process closed it by the day's detail meanwhile
            still_open = 0
        await pauses.rest(still_open)
