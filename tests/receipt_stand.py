"""Where the receipt printer's driver and its simulated printer meet in tests."""

import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import trio

from drivers.printer.escpos.driver import EscposPrinter as Driver
from drivers.printer.escpos.options import Options, read_options
from drivers.transport.line import Line, LineLost
from drivers.transport.memory import MemoryLine, PerfectWire, Wire, memory_lines
from kiosk.basics.log import JsonLog
from kiosk.domain.health import Health
from kiosk.domain.receipt import LineStyle, PaperLine, PaperReceipt
from kiosk.ports import DeviceContext, DeviceFault
from simulators.devices.escpos import EscposPrinter as Simulator
from tests.started_once import StartedOnce

QR = "https://example.test/v?n=4512070012"


def receipt(key: str = "job-1", lines: int = 3, name: str = "王小明", qr: str | None = QR) -> PaperReceipt:
    """A receipt as services make them, ``lines`` long between its head and its code."""
    body = tuple(PaperLine(f"第{number}项  个人账户  ¥ 1,234.50 元") for number in range(lines))
    head = (PaperLine("示例市社会保障卡", LineStyle.BIG), PaperLine("", LineStyle.RULE), PaperLine(f"姓名：{name}"))
    return PaperReceipt(key, (*head, *body, PaperLine("请取走卡和凭条", LineStyle.BOLD)), qr)


@dataclass
class Stand:
    """A driver that runs, the printer it runs against, and what it said."""

    driver: Driver
    printer: Simulator
    log: io.StringIO
    far: MemoryLine
    reports: list[Health] = field(default_factory=list)
    fault: DeviceFault | None = None
    over: trio.Event = field(default_factory=trio.Event)
    sent: bytearray = field(default_factory=bytearray)  # every byte that reached the printer

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """Keep the fault that ends the driver; report started also when it never was usable."""
        status = StartedOnce(task_status)
        try:
            await self.driver.run(status)  # type: ignore[arg-type] # trio's protocol cannot be subclassed
        except DeviceFault as fault:
            self.fault = fault
        finally:
            self.over.set()
            status.started()

    async def play(self) -> None:
        """The printer's end of the line."""
        with suppress(LineLost):
            while True:
                self.printer.tick(trio.current_time())
                with trio.move_on_after(0.05):
                    chunk = await self.far.receive()
                    self.sent += chunk
                    self.printer.receive(chunk)

    async def until(self, holds: Callable[[], bool], limit_s: float = 30.0) -> None:
        with trio.fail_after(limit_s):
            while not holds():
                await trio.sleep(0.02)


def _send_if_there(far: MemoryLine, chunk: bytes) -> None:
    with suppress(LineLost):
        far.send_now(chunk)


@asynccontextmanager
async def printer_on_wire(
    run_dir: Path,
    printer: Simulator | None = None,
    there: Wire | None = None,
    back: Wire | None = None,
    **options: object,
) -> AsyncIterator[Stand]:
    """Over a line in memory; under a mock clock waits cost nothing. Ends both sides."""
    printer = printer or Simulator()
    near, far = memory_lines(there or PerfectWire(), back or PerfectWire())
    printer.wire = partial(_send_if_there, far)
    log, reports = io.StringIO(), list[Health]()
    context = DeviceContext(slot="receipt_printer", report=reports.append, log=JsonLog(log), run_dir=run_dir)

    async def open_line(_: Options) -> Line:
        return near

    stand = Stand(Driver(read_options(options), context, open_line), printer, log, far, reports)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stand.play)
        await nursery.start(stand.run)
        yield stand
        nursery.cancel_scope.cancel()
