"""Where a cash driver, its simulated device and a caller meet in tests, over lines in memory."""

import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import trio

from drivers.cash_module.module import CashDriver
from drivers.transport.line import Line, LineLost
from drivers.transport.memory import MemoryLine, PerfectWire, Wire, memory_lines
from kiosk.basics.log import JsonLog
from kiosk.domain.cash import CashEvent, Escrow, NoteUncertain, Recovery, Returned, Stacked
from kiosk.domain.health import Health
from kiosk.domain.money import Fen
from kiosk.ports import DeviceContext, DeviceFault
from tests.started_once import StartedOnce

MakeDriver = Callable[[DeviceContext, Callable[[], Line]], CashDriver]
TICK_S = 0.02


def yuan(amount: int) -> Fen:
    return Fen(amount * 100)


@dataclass
class Books:
    """What a caller has committed, over any number of restarts of driver and device.

    A credit that recovery tells is matched with an open stack intent; without one it goes to suspense (ADR 0013).
    """

    events: list[CashEvent] = field(default_factory=list)
    recoveries: list[Recovery] = field(default_factory=list)
    everything: list[CashEvent] = field(default_factory=list)
    intents: list[Fen] = field(default_factory=list)  # stack intents without outcome

    @property
    def credits(self) -> list[int]:
        """Yuan, in order."""
        return [one.denomination // 100 for one in self.everything if isinstance(one, Stacked)]

    @property
    def uncertain(self) -> list[NoteUncertain]:
        return [one for one in self.everything if isinstance(one, NoteUncertain)]

    def book(self, told: CashEvent | Recovery) -> None:
        if isinstance(told, Recovery):
            self.recoveries.append(told)
            for finding in told.findings:
                self._book(finding)
        else:
            self.events.append(told)
            self._book(told)

    def _book(self, event: CashEvent) -> None:
        known = isinstance(event, Stacked | Returned) and event.denomination in self.intents
        if isinstance(event, Stacked) and not event.note_id and not known:
            event = NoteUncertain(event.denomination, "no_open_intent")
        elif known and isinstance(event, Stacked | Returned) and event.denomination is not None:
            self.intents.remove(event.denomination)
        self.everything.append(event)

    def of(self, kind: type) -> list[Any]:
        return [one for one in self.everything if isinstance(one, kind)]


class Stand:
    """A driver that runs, the device it runs against, and the caller between them."""

    def __init__(self, driver: CashDriver, device: Any, line: MemoryLine, books: Books, reports: list[Health]) -> None:
        self.driver, self.device, self.line, self.books, self.reports = driver, device, line, books, reports
        self.fault: DeviceFault | None = None
        self.over = trio.Event()
        self.decide = "stack"  # what the caller does with every note in escrow: stack | return | hold | nothing
        self.commit_s = 0.0  # how long a commit takes
        self.paused = False  # the caller commits nothing

    @property
    def health(self) -> Health:
        return self.reports[-1]

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        started = StartedOnce(task_status)
        try:
            await self.driver.run(started)  # type: ignore[arg-type]
        except DeviceFault as fault:
            self.fault = fault
        finally:
            self.over.set()
            started.started()

    async def clerk(self) -> None:
        """Commit, acknowledge, decide; until the driver ends."""
        with suppress(DeviceFault):
            while True:
                event = await self.driver.next_event()
                await self.until(lambda: not self.paused, 1e9)
                await trio.sleep(self.commit_s)
                self.books.book(event)
                self.driver.acknowledge(event)
                if isinstance(event, Escrow):
                    with suppress(DeviceFault):
                        await self._decide(event)

    async def _decide(self, note: Escrow) -> None:
        if self.decide == "stack":
            self.books.intents.append(note.denomination)
            await self.driver.stack()
        elif self.decide == "return":
            await self.driver.return_()
        elif self.decide == "hold":
            await self.driver.hold()

    async def recover(self, epoch: str) -> Recovery:
        in_doubt = self.books.intents[-1] if self.books.intents else None
        recovery = await self.driver.recover(epoch, in_doubt)
        self.books.book(recovery)
        self.driver.acknowledge(recovery)
        return recovery

    async def ready(self, epoch: str = "e1", accept: tuple[int, ...] = (1, 5, 10, 20, 50, 100)) -> None:
        await self.recover(epoch)
        await self.driver.enable([yuan(one) for one in accept if yuan(one) in self.driver.denominations])

    async def feed(self, amount: int, kind: str = "good") -> None:
        await self.until(lambda: self.device.insert(amount, kind) or self.over.is_set())

    async def until(self, holds: Callable[[], object], limit_s: float = 120.0) -> None:
        with trio.fail_after(limit_s):
            while not holds():
                await trio.sleep(TICK_S)

    async def until_booked(self, kind: type, count: int = 1) -> Any:
        await self.until(lambda: len(self.books.of(kind)) >= count)
        return self.books.of(kind)[count - 1]


@asynccontextmanager
async def cash_stand(
    make: MakeDriver,
    device: Any,
    *,
    there: Wire | None = None,
    back: Wire | None = None,
    books: Books | None = None,
) -> AsyncIterator[Stand]:
    """Under a mock clock waits cost nothing. Leaving it is what a crash of the kiosk is to the device."""
    near, far = memory_lines(there or PerfectWire(), back or PerfectWire())
    device.wire = partial(_send_if_there, far)
    reports: list[Health] = []
    context = DeviceContext(
        slot="cash_acceptor", report=reports.append, log=JsonLog(io.StringIO()), run_dir=Path("unused")
    )
    stand = Stand(make(context, lambda: near), device, far, books or Books(), reports)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_play, device, far)
        await nursery.start(stand.run)
        nursery.start_soon(stand.clerk)
        yield stand
        nursery.cancel_scope.cancel()


async def _play(device: Any, far: MemoryLine) -> None:
    with suppress(LineLost):
        while True:
            device.tick(trio.current_time())
            with trio.move_on_after(TICK_S):
                device.receive(await far.receive())


def _send_if_there(far: MemoryLine, chunk: bytes) -> None:
    with suppress(LineLost):
        far.send_now(chunk)
