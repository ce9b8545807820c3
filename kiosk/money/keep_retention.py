"""For as long as the process lives: months whose time is over are made unreadable, once nothing needs them (rule 29).

How long each kind of record is read here is regional data. The clock alone destroys nothing: a host must agree about
the time.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

import trio

from kiosk.domain.record_kinds import MONEY, kind_of_period, month_of
from kiosk.money.bank_record import NUMBERED
from kiosk.money.offline_limits import HOTLIST_IN_FORCE, IN_FORCE, NewestUsed
from kiosk.money.platform_acts import SENT
from kiosk.ports import Clock, Journal, Log
from kiosk.ports.ledger import Needed, PeriodsKept, StillNeeded

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
    """``keep_months``: kind -> so many whole months after its own a month of it is readable; 0 for ever.
    ``kept_up_to``: by the agency's ledger. ``open_cases``: their codes."""

    journal: Journal
    months: PeriodsKept
    clock: Clock
    keep_months: Mapping[str, int]
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
        over = [period for period in self.months.periods() if self._is_over(period)]
        if not over:
            return
        open_cases = await self.open_cases()
        for period in over:
            self._carry_on(period)
            try:
                self.months.destroy(period, self._needed(period, open_cases))
            except StillNeeded as why:
                self.log("month_still_needed", version=month_of(period), kind=kind_of_period(period), why=str(why))
            else:
                self.log("month_destroyed", version=month_of(period), kind=kind_of_period(period))

    def _is_over(self, period: str) -> bool:
        keep = self.keep_months[kind_of_period(period)]
        return bool(keep) and _age_months(month_of(period), self.clock.now()) > keep

    def _needed(self, period: str, open_cases: Collection[str]) -> Needed:
        now = self.clock.now()
        within = _month_before(now, self.keep_months[kind_of_period(period)]), _month_before(now, 0)
        return Needed(self.kept_up_to(), open_cases, LASTING, within)

    def _carry_on(self, period: str) -> None:
        """A version below which nothing may come back outlives the month in which it was noted."""
        month = month_of(period)
        if kind_of_period(period) != MONEY:
            return
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
