"""What a receipt costs: building its bytes, and the driver's work over the time that the bytes take at 9600 baud."""

import io
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import trio

from drivers.printer.escpos.composer import Paper, compose
from drivers.printer.escpos.driver import EscposPrinter as Driver
from drivers.printer.escpos.options import Options, read_options
from drivers.printer.raster import Pen
from drivers.transport.line import Line
from drivers.transport.memory import PerfectWire, memory_lines
from kiosk.basics.log import JsonLog
from kiosk.domain.receipt import LineStyle, PaperLine, PaperReceipt
from kiosk.ports import DeviceContext
from simulators.bench import Measurement
from simulators.devices.escpos import EscposPrinter as Simulator

LINES = 25
ROUNDS = 40
_TEXT = [(f"第{number:02d}项 个人账户余额      ￥ 1,234.50 元", "normal") for number in range(LINES)]
_RARE = [(f"第{number:02d}项 㐂𠮷䶮𪚥 个人账户   ￥ 1,234.50 元", "normal") for number in range(LINES)]


def run() -> Iterator[Measurement]:
    paper = Paper()
    warmed = _milliseconds(lambda: list(Pen(576, 48).warm()))  # by the driver, three seconds after its start
    first = _milliseconds(lambda: compose(_RARE, None, paper, Pen(576, 48)))
    yield Measurement(
        "receipt of 25 drawn lines, first of the day", first, "ms", 30, f"fonts opened in {warmed:.0f} ms"
    )
    drawn = median(_milliseconds(lambda: compose(_RARE, None, paper, Pen(576, 48))) for _ in range(ROUNDS))
    yield Measurement("receipt of 25 drawn lines", drawn, "ms", 15)
    text = median(
        _milliseconds(lambda: compose(_TEXT, "https://example.test/1", paper, Pen(576, 48))) for _ in range(ROUNDS)
    )
    yield Measurement("receipt of 25 text lines", text, "ms", 2)
    yield Measurement("receipt driver's time over wire time", trio.run(_overhead), "ratio", 0.03)


def _milliseconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


async def _overhead() -> float:
    """Process time of printing, less what the simulated printer uses, over ten bits a byte at 9600 baud."""
    printer = Simulator()
    near, far = memory_lines(PerfectWire(), PerfectWire())
    printer.wire = far.send_now
    printer_s = 0.0
    heard = 0

    async def play() -> None:
        nonlocal printer_s, heard
        while True:
            chunk = await far.receive()
            heard += len(chunk)
            started = time.process_time()
            printer.receive(chunk)
            printer_s += time.process_time() - started

    async def open_line(_: Options) -> Line:
        return near

    with tempfile.TemporaryDirectory() as place:
        context = DeviceContext("receipt_printer", lambda health: None, JsonLog(io.StringIO()), Path(place))
        driver = Driver(read_options({}), context, open_line)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(play)
            await nursery.start(driver.run)
            started = time.process_time()
            printer_s, heard = 0.0, 0
            for number in range(ROUNDS):
                await driver.print_receipt(_receipt(number))
            ours = time.process_time() - started - printer_s
            nursery.cancel_scope.cancel()
    return ours / (heard * 10 / 9600)


def _receipt(number: int) -> PaperReceipt:
    lines = tuple(PaperLine(words, LineStyle(style)) for words, style in _TEXT)
    return PaperReceipt(f"bench-{number}", lines, "https://example.test/1")
