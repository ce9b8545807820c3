"""What every driver for the slot ``receipt_printer`` must do, whoever wrote it. Over a pty, found by its entry point.

To judge a driver of your own: subclass, name your entry point, and give your printer's simulator. The simulator offers
``papers`` (each with ``text``, ``codes`` and ``whole``), ``hanging``, ``lines_left``, ``load_paper()`` and a set
``faults`` that knows ``paper_out``, ``paper_low``, ``cover_open``, ``silent`` and ``no_fence``.
"""

import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trio

from drivers.registry import find_driver
from kiosk.basics.log import JsonLog
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceContext, DeviceFault, OutcomeUnknown
from simulators.pty_line import PtyLine
from tests.receipt_stand import QR, receipt


@dataclass
class Bench:
    driver: Any
    printer: Any
    line: PtyLine
    reports: list[Health] = field(default_factory=list)
    fault: DeviceFault | None = None
    over: trio.Event = field(default_factory=trio.Event)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        try:
            await self.driver.run(task_status)
        except DeviceFault as fault:
            self.fault = fault
        finally:
            self.over.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        with trio.fail_after(20):
            while not holds():
                await trio.sleep(0.02)


class ReceiptPrinterSuite:
    name: str  # of the entry point
    options: dict[str, object] = {}  # noqa: RUF012 - a constant that subclasses replace
    port_option = "port"

    def printer(self) -> Any:
        raise NotImplementedError

    @asynccontextmanager
    async def bench(self, place: Path, printer: Any = None) -> AsyncIterator[Bench]:
        """A driver that is ready, on a printer behind a pty; both end with the block."""
        printer = printer or self.printer()
        line = PtyLine(place / "printer", printer)
        reports: list[Health] = []
        context = DeviceContext("receipt_printer", reports.append, JsonLog(io.StringIO()), place)
        driver = find_driver(self.name)({self.port_option: str(line.path), **self.options}, context)
        async with trio.open_nursery() as nursery:
            await nursery.start(line.run)
            made = Bench(driver, printer, line, reports)
            await nursery.start(made.run)
            yield made
            nursery.cancel_scope.cancel()

    async def test_a_receipt_is_on_paper_when_the_call_returns(self, tmp_path: Path) -> None:
        """READY, then one whole piece with words, amounts and code; BUSY meanwhile, READY afterwards."""
        async with self.bench(tmp_path) as bench:
            await bench.driver.print_receipt(receipt())
            (paper,) = bench.printer.papers
            assert paper.whole
            assert "姓名：王小明" in paper.text
            assert "1,234.50 元" in paper.text
            assert paper.codes == (QR,)
            assert [one.condition for one in bench.reports] == [Condition.READY, Condition.BUSY, Condition.READY]

    async def test_a_name_that_no_printer_font_holds_has_no_boxes(self, tmp_path: Path) -> None:
        """Rare characters are drawn."""
        async with self.bench(tmp_path) as bench:
            await bench.driver.print_receipt(receipt(name="㐂𠮷䶮𪚥"))
            assert "□" not in bench.printer.papers[0].text

    async def test_the_same_key_is_the_same_paper(self, tmp_path: Path) -> None:
        """A retry returns and prints nothing."""
        async with self.bench(tmp_path) as bench:
            for _ in range(3):
                await bench.driver.print_receipt(receipt())
            assert len(bench.printer.papers) == 1

    async def test_two_at_once_come_out_one_after_the_other(self, tmp_path: Path) -> None:
        """Receipts never mix."""
        async with self.bench(tmp_path) as bench:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(bench.driver.print_receipt, receipt("job-1", name="甲"))
                nursery.start_soon(bench.driver.print_receipt, receipt("job-2", name="乙"))
            assert sorted(("甲" in paper.text, "乙" in paper.text) for paper in bench.printer.papers) == [
                (False, True),
                (True, False),
            ]

    @pytest.mark.parametrize("fault", ["paper_out", "cover_open"])
    async def test_a_fault_is_reported_and_nothing_is_printed(self, tmp_path: Path, fault: str) -> None:
        """Surely not printed is a DeviceFault with its reason; once it is mended the same key prints."""
        async with self.bench(tmp_path) as bench:
            bench.printer.faults.add(fault)
            with pytest.raises(DeviceFault) as caught:
                await bench.driver.print_receipt(receipt())
            assert caught.value.health == bench.reports[-1] == Health(Condition.FAULT, fault)
            bench.printer.faults.discard(fault)
            await bench.driver.print_receipt(receipt())
            assert len(bench.printer.papers) == 1

    async def test_silence_is_unknown(self, tmp_path: Path) -> None:
        """A printer that does not answer is UNKNOWN, not READY, and gets no receipt."""
        async with self.bench(tmp_path) as bench:
            bench.printer.faults.add("silent")
            with pytest.raises(DeviceFault):
                await bench.driver.print_receipt(receipt())
            assert bench.reports[-1].condition is Condition.UNKNOWN
            assert bench.printer.papers == []

    async def test_paper_that_ends_in_the_middle_leaves_the_outcome_unknown(self, tmp_path: Path) -> None:
        """OutcomeUnknown, also for a second try; nothing of it comes out with the new roll."""
        printer = self.printer()
        printer.lines_left = 3
        async with self.bench(tmp_path, printer) as bench:
            for _ in range(2):
                with pytest.raises(OutcomeUnknown):
                    await bench.driver.print_receipt(receipt())
            printer.load_paper()
            await bench.driver.print_receipt(receipt("job-2", name="乙"))
            last = printer.papers[-1]
            assert last.whole
            assert "王小明" not in last.text

    async def test_an_unplugged_printer_is_absent(self, tmp_path: Path) -> None:
        """Pulling the cable ends ``run`` with a fault; a fresh object works after plugging in."""
        async with self.bench(tmp_path) as bench:
            bench.line.unplug()
            with trio.fail_after(10):
                await bench.over.wait()
            assert bench.fault is not None
            assert bench.fault.health.condition is Condition.ABSENT
            with pytest.raises(DeviceFault):
                await bench.driver.print_receipt(receipt())
        async with self.bench(tmp_path, bench.printer) as bench:
            await bench.driver.print_receipt(receipt())
            assert len(bench.printer.papers) == 1
