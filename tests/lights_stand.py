"""Where a driver of lamps and its simulated board meet in tests, over lines in memory."""

import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio

from drivers.transport.line import Line, LineLost
from drivers.transport.memory import MemoryLine, PerfectWire, Wire, memory_lines
from kiosk.basics.log import JsonLog
from kiosk.domain.health import Health
from kiosk.ports import DeviceContext, DeviceFault

MakeDriver = Callable[[DeviceContext, Callable[[], Line]], Any]


@dataclass
class Stand:
    """A driver that runs, the board it runs against, and what it said."""

    driver: Any
    board: Any
    far: MemoryLine
    reports: list[Health] = field(default_factory=list)
    fault: DeviceFault | None = None
    over: trio.Event = field(default_factory=trio.Event)

    @property
    def health(self) -> Health:
        return self.reports[-1]

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """Keeps the fault that ends the driver; reports started also when it never was usable."""
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(self.driver.run)
                task_status.started()
        except* DeviceFault as group:
            (fault,) = group.exceptions
            assert isinstance(fault, DeviceFault)
            self.fault = fault
        finally:
            self.over.set()
        if not self.reports or self.fault:
            with suppress(RuntimeError):  # it had started before
                task_status.started()

    async def play(self) -> None:
        """The board's end of the line."""
        with suppress(LineLost):
            while True:
                chunk = await self.far.receive()
                self.board.tick(trio.current_time())
                self.board.receive(chunk)

    async def until(self, holds: Callable[[], bool], limit_s: float = 60.0) -> None:
        with trio.fail_after(limit_s):
            while not holds():
                await trio.sleep(0.01)


@asynccontextmanager
async def lights_stand(
    make: MakeDriver, board: Any, there: Wire | None = None, back: Wire | None = None
) -> AsyncIterator[Stand]:
    """Both sides, ended with the block; what the driver still sends at its end reaches the board."""
    near, far = memory_lines(there or PerfectWire(), back or PerfectWire())

    def to_terminal(chunk: bytes) -> None:
        with suppress(LineLost):
            far.send_now(chunk)

    board.wire = to_terminal
    reports: list[Health] = []
    context = DeviceContext("lights", reports.append, JsonLog(io.StringIO()), Path())
    stand = Stand(make(context, lambda: near), board, far, reports)
    async with trio.open_nursery() as boards:
        boards.start_soon(stand.play)
        async with trio.open_nursery() as nursery:
            await nursery.start(stand.run)
            yield stand
            nursery.cancel_scope.cancel()
        near.close()
