"""The life of a cash driver: open, advance until something fails, tell events, refuse. No money in here."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio

from drivers.cash_module.inbox import DeviceRefused, Silent
from drivers.cash_module.told import Told
from drivers.cash_module.unreadable import Unreadable
from drivers.transport.line import Line, LineLost
from kiosk.domain.cash import CashEvent, CashFault, CashIdentity, Escrow, Recovery
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceContext, DeviceFault

OpenLine = Callable[[], Line]


@dataclass(frozen=True)
class Pace:
    """Seconds. ``hold_s``: how long a note waits for each ``hold``; ``hold_s_max``: in all, whatever is asked.

    ``rest_polls``: at rest only each so many polls are made. A module that takes nothing still wants to be asked now
    and then, but seven times a second would be half of all that an idle terminal computes.
    """

    poll_s: float = 0.15
    rest_polls: int = 12  # about 2 s; the strictest module that we know wants a word every 5 s (SSP)
    hold_s: float = 10.0
    hold_s_max: float = 28.0
    note_s_max: float = 20.0  # from the decision to what came of it
    dispense_s_max: float = 90.0


class CashDevice(ABC):
    """Implements ``ports.Device``."""

    def __init__(self, context: DeviceContext, open_line: OpenLine, pace: Pace, *, refuse_simulator: bool) -> None:
        self._context = context
        self._open_line = open_line
        self._pace = pace
        self._refuse_simulator = refuse_simulator
        self._identity = CashIdentity("", "", "")
        self._turns = trio.Lock()
        self._fault: DeviceFault | None = None
        self._open = False
        self._health = Health(Condition.STARTING)
        self._told_fault = ""
        self._wake = trio.Event()
        self._told = Told()

    @abstractmethod
    async def _do_open(self, line: Line) -> CashIdentity:
        """First words with the device; must not make it forget anything."""

    @abstractmethod
    async def _advance(self) -> None:
        """One turn of the loop: whatever is due next."""

    def _at_rest(self) -> bool:
        """Whether nothing can come from the device but news of its own state."""
        return False

    @property
    def identity(self) -> CashIdentity:
        return self._identity

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        line = self._opened()
        try:
            self._open = True
            async with self._turn():
                self._identity = await self._do_open(line)
                self._check_identity()
            task_status.started()
            while self._fault is None:
                with trio.move_on_after(self._pace.poll_s * (self._pace.rest_polls if self._at_rest() else 1)):
                    await self._wake.wait()
                self._wake = trio.Event()
                async with self._turn():
                    await self._advance()
        finally:
            self._open = False
            self._told.close()
            line.close()
        raise self._fault

    def _opened(self) -> Line:
        try:
            return self._open_line()
        except LineLost as lost:
            absent = Health(Condition.ABSENT, "unplugged")
            raise self._fail(absent if lost.reason == "absent" else Health(Condition.FAULT, "line_busy")) from lost

    def _check_identity(self) -> None:
        if self._refuse_simulator and self._identity.version.startswith("SIM"):
            raise self._fail(Health(Condition.FAULT, "simulator_refused"))
        self._context.log("cash_module_open", slot=self._context.slot, version=self._identity.version)
        self._report(Health(Condition.READY))

    # --- health and failure -------------------------------------------------------------------------------------------

    def _report(self, health: Health) -> None:
        if health != self._health:
            self._health = health
            self._context.report(health)

    def _tell_fault(self, reason: str, needs: str = "staff") -> None:
        """Once per occurrence; ``_tell_well`` ends it."""
        if self._told_fault != reason:
            self._told_fault = reason
            self._emit(CashFault(reason, needs))
            self._report(Health(Condition.DEGRADED if needs == "nobody" else Condition.FAULT, reason))

    def _tell_well(self) -> None:
        self._told_fault = ""
        self._report(Health(Condition.READY))

    def _fail(self, health: Health) -> DeviceFault:
        """End ``run`` and every verb with this; the supervisor starts again with a fresh object."""
        if self._fault is None:
            self._fault = DeviceFault(self._context.slot, health)
            self._report(health)
            self._told.close()
            self._wake.set()
        return self._gone()

    def _gone(self) -> DeviceFault:
        return DeviceFault(
            self._context.slot, self._fault.health if self._fault else Health(Condition.ABSENT, "not_open")
        )

    def _refusal(self, reason: str) -> DeviceFault:
        """Surely not done; the module goes on."""
        return DeviceFault(self._context.slot, Health(Condition.FAULT, reason))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        async with self._turns:
            if self._fault is not None or not self._open:
                raise self._gone()
            try:
                yield
            except Silent as silent:
                raise self._fail(Health(Condition.UNKNOWN, str(silent) or "silent")) from silent
            except LineLost as lost:
                raise self._fail(Health(Condition.ABSENT, "unplugged")) from lost
            except Unreadable as unreadable:
                raise self._fail(Health(Condition.UNKNOWN, "unreadable_answer")) from unreadable
            except DeviceRefused as refused:  # in the loop this ends the driver, in a verb only the verb
                raise self._refusal("device_refused") from refused

    # --- events -------------------------------------------------------------------------------------------------------

    def _emit(self, event: CashEvent) -> None:
        try:
            self._told.tell(event)
        except trio.WouldBlock:
            raise self._fail(Health(Condition.FAULT, "events_unread")) from None

    async def next_event(self) -> CashEvent:
        try:
            return await self._told.next()
        except trio.EndOfChannel as ended:
            raise self._gone() from ended

    def acknowledge(self, told: CashEvent | Recovery) -> None:
        self._told.acknowledge(told)
        if not isinstance(told, Escrow):  # no device waits for that, and a poll now would only delay the decision
            self._wake.set()
