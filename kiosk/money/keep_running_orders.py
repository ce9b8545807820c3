"""For as long as the process lives: orders that residents left, run when the hosts answer, and told as done when over.

One at a time, the oldest first; one whose questions stay unanswered lets the others go before it. Pauses live in memory
and on the monotonic clock.
"""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

import trio

from kiosk.domain.card import Holder, Sex
from kiosk.domain.entries import AlreadyClosed
from kiosk.money.run_order import NotNow, OrderDesk, run_order
from kiosk.money.settlement_orders import HOST, SettlementOrder, open_orders
from kiosk.ports import Clock, Journal, Log, OutcomeUnknown, Visit
from kiosk.ports.money import Hospital, MedicalInsurance
from kiosk.ports.outbox import Outbox
from kiosk.settings.config import Settings

LOOK_S = 5.0
BACK_OFF_S_MAX = 300.0  # most are to be known within ten minutes (money-rules 2)
TOLD_MAX = 50


@dataclass
class Orders:
    """``in_hand``: cases whose 2207 is being driven here and now, and by nobody else of this process."""

    settings: Settings
    clock: Clock
    journal: Journal
    outbox: Outbox
    hospital: Hospital
    medical_insurance: MedicalInsurance
    log: Log
    in_hand: set[str] = field(default_factory=set, init=False)
    _silences: int = field(default=0, init=False)  # in a row
    _unanswered: Counter[str] = field(default_factory=Counter, init=False)  # key -> how often
    _waits: dict[str, tuple[int, float]] = field(default_factory=dict, init=False)  # key -> how often, until when

    async def keep_running(self) -> NoReturn:
        while True:
            pause_s = await self.run_once()
            await trio.sleep(pause_s)

    async def run_once(self) -> float:
        """Try every order whose time it is; for how long to rest then."""
        self._tell()
        orders = open_orders(self.journal)
        for order in sorted(orders, key=lambda one: self._unanswered[one.key]):
            if self._waits.get(order.key, (0, 0.0))[1] > trio.current_time():
                continue
            try:
                await self._run(order)
            except NotNow as later:
                self._wait(order.key, later.wait_s)
            except OutcomeUnknown as silence:
                self.outbox.unanswered(order.key)
                self._silences += 1
                self._unanswered[order.key] += 1
                return silence.retry_after_s or _pause_s(LOOK_S, self._silences)
            self._silences = 0
        if orders:
            self._tell()
        return LOOK_S

    async def _run(self, order: SettlementOrder) -> None:
        """Raises NotNow, OutcomeUnknown."""
        left_in = Visit(order.card, Holder("", "", Sex.UNKNOWN, "", None), order.case_code)
        desk = OrderDesk(self.settings, self.clock, self.journal, self.hospital, self.medical_insurance, left_in)
        with self._driving(order.case_code):
            try:
                await run_order(desk, order)
            except AlreadyClosed:  # the other process: its holder took it back, or staff closed it by the day's detail
                return
        self.log("order_run", key=order.key)

    @contextmanager
    def _driving(self, case_code: str) -> Iterator[None]:
        self.in_hand.add(case_code)
        try:
            yield
        finally:
            self.in_hand.discard(case_code)

    def _wait(self, key: str, wait_s: float) -> None:
        times = self._waits.get(key, (0, 0.0))[0]
        self._waits[key] = times + 1, trio.current_time() + _pause_s(wait_s, times)

    def _tell(self) -> None:
        """What is over is unsent no more. Notices first: one that is left meanwhile is among the orders read after."""
        owed = self.outbox.due_together(HOST, TOLD_MAX)
        if not owed and not self._waits:
            return
        running = {order.key for order in open_orders(self.journal)}
        self._waits = {key: waits for key, waits in self._waits.items() if key in running}
        over = [notice.key for notice in owed if notice.key not in running]
        if over:
            self.outbox.told(*over)


def _pause_s(first_s: float, times: int) -> float:
    """Doubled each time, and spread by up to a half so that fifty thousand terminals do not call at once."""
    return min(BACK_OFF_S_MAX, first_s * 2.0 ** min(times, 10)) * (0.5 + random.random() / 2)
