"""For as long as the process lives: months whose time is over are made unreadable, once nothing needs them (rule 29).

How long a month is read here is regional data. All kinds of records of a month share its key, so it is the longest time
that any of them must be read. The clock alone destroys nothing: a host must agree about the time.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

import trio

from kiosk.money.bank_record import NUMBERED
from kiosk.money.offline_limits import HOTLIST_IN_FORCE, IN_FORCE, NewestUsed
from kiosk.money.platform_acts import SENT
from kiosk.ports import Clock, Journal, Log
from kiosk.ports.ledger import MonthsKept, Needed, StillNeeded

LOOK_S = 6 * 3600.0
# Read from their newest entry, whatever its age: message ids and trace numbers that must not come again, what a cash
# device may still tell of, and the counts that later ones begin with.
LASTING: tuple[tuple[str, ...], ...] = (
    SENT,
    NUMBERED,
    ("note_credited",),
    ("dispensed", "dispense_uncertain"),
    ("cash_box_exchanged",),
    ("drums_exchanged",),
)
VERSIONS = (IN_FORCE, HOTLIST_IN_FORCE)


@dataclass(frozen=True)
class Retention:
    """``keep_months``: so many whole months after its own a month is readable. ``kept_up_to``: by the agency's ledger.
    ``open_cases``: their codes."""

    journal: Journal
    months: MonthsKept
    clock: Clock
    keep_months: int
    time_confirmed: Callable[[], bool]
    kept_up_to: Callable[[], int]
    open_cases: Callable[[], Awaitable[Collection[str]]]
    log: Log

    async def keep(self) -> NoReturn:
        while True:
            await self.look()
            await trio.sleep(LOOK_S)

    async def look(self) -> None:
        """Every month whose time is over; what is still needed is looked at again the next time."""
        if not self.time_confirmed():
            return
        over = [month for month in self.months.months() if _age_months(month, self.clock.now()) > self.keep_months]
        if not over:
            return
        now = self.clock.now()
        within = _month_before(now, self.keep_months), _month_before(now, 0)
        needed = Needed(self.kept_up_to(), await self.open_cases(), LASTING, within)
        for month in over:
            self._carry_on(month)
            try:
                self.months.destroy(month, needed)
            except StillNeeded as why:
                self.log("month_still_needed", version=month, why=str(why))
            else:
                self.log("month_destroyed", version=month)

    def _carry_on(self, month: str) -> None:
        """A version below which nothing may come back outlives the month in which it was noted."""
        for act in VERSIONS:
            newest = self.journal.last(act)
            if newest is not None and newest.at[: len(month)] <= month:
                used = NewestUsed(self.journal, act)
                used.note(used.version())


def _age_months(month: str, now: datetime) -> int:
    year, number = month.split("-")
    return 12 * (now.year - int(year)) + now.month - int(number)


def _month_before(now: datetime, months: int) -> str:
    year, month = divmod(12 * now.year + now.month - 1 - months, 12)
    return f"{year:04d}-{month + 1:02d}"
