"""The IPP driver against a real ippeveprinter, and the stand-in against ipptool: real sockets, real processes."""

import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio
from fpdf import FPDF

from drivers.printer.ipp.driver import IppPrinter as Driver
from drivers.printer.ipp.driver import open_device
from kiosk.basics.log import JsonLog
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceContext, DeviceFault, OutcomeUnknown
from simulators.devices.ipp import IppPrinter

QUICK = {"poll_s": 0.1, "connect_s": 1.0, "reply_s": 5.0, "job_s_max": 15.0, "stopped_s_max": 0.5}


def document(pages: int = 1) -> bytes:
    made = FPDF(format="A4")
    for number in range(pages):
        made.add_page()
        made.set_font("helvetica", size=30)
        made.cell(text=f"Certificate, page {number + 1}")
    return bytes(made.output())


@dataclass
class Stand:
    driver: Driver
    printer: IppPrinter
    reports: list[Health]
    place: Path

    async def until(self, holds: Callable[[], bool]) -> None:
        with trio.fail_after(15):
            while not holds():
                await trio.sleep(0.02)

    async def until_health(self, condition: Condition, reason: str = "") -> None:
        await self.until(lambda: self.reports[-1:] == [Health(condition, reason)])


@asynccontextmanager
async def stand(place: Path, formats: str = "application/pdf") -> AsyncIterator[Stand]:
    printer = IppPrinter(place, formats=formats, slow_s=1.5)
    reports: list[Health] = []
    context = DeviceContext("page_printer", reports.append, JsonLog(io.StringIO()), place)
    driver = open_device({"uri": printer.uri, **QUICK}, context)
    async with trio.open_nursery() as nursery:
        await nursery.start(printer.run)
        await nursery.start(driver.run)
        yield Stand(driver, printer, reports, place)
        nursery.cancel_scope.cancel()


async def test_a_document_comes_out_as_it_was_sent_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Every byte of the PDF reaches the outlet once, also when the job is repeated; no job file stays."""
    pdf = document(pages=2)
    async with stand(tmp_path) as at:
        await at.driver.print_pdf(pdf, "job-1")
        await at.driver.print_pdf(pdf, "job-1")
        (sheet,) = at.printer.sheets
        assert sheet.pdf == pdf
        pages = await sheet.pages()
        assert [page[:8] for page in pages] == [b"\x89PNG\r\n\x1a\n"] * 2
        assert pages[0] != pages[1]
        assert [path for path in (tmp_path / "page_printer" / "spool").iterdir() if path.suffix == ".pdf"] == []
        await at.until_health(Condition.READY)


@pytest.mark.parametrize("fault", ["paper_out", "cover_open"])
async def test_a_fault_is_seen_and_nothing_is_handed_over_until_it_is_gone(fault: str, tmp_path: Path) -> None:
    """The printer says why it cannot; the same job may be tried again and then prints once."""
    async with stand(tmp_path) as at:
        await at.printer.set_fault(fault, on=True)
        await at.until_health(Condition.FAULT, fault)
        with pytest.raises(DeviceFault, match=fault):
            await at.driver.print_pdf(document(), "job-1")
        await at.printer.set_fault(fault, on=False)
        await at.until_health(Condition.READY)
        await at.driver.print_pdf(document(), "job-1")
        assert len(at.printer.sheets) == 1


async def test_low_paper_degrades_and_prints(tmp_path: Path) -> None:
    """Staff learn of it; residents get their sheet."""
    async with stand(tmp_path) as at:
        await at.printer.set_fault("paper_low", on=True)
        await at.until_health(Condition.DEGRADED, "paper_low")
        await at.driver.print_pdf(document(), "job-1")
        assert len(at.printer.sheets) == 1


async def test_an_aborted_job_is_surely_not_printed(tmp_path: Path) -> None:
    """The printer gave up before the first side: a fault, no sheet, and a retry is allowed."""
    async with stand(tmp_path) as at:
        await at.printer.set_fault("abort", on=True)
        with pytest.raises(DeviceFault, match="job_aborted"):
            await at.driver.print_pdf(document(), "job-1")
        assert at.printer.sheets == []
        await at.printer.set_fault("abort", on=False)
        await at.driver.print_pdf(document(), "job-1")
        assert len(at.printer.sheets) == 1


async def test_paper_that_ends_in_mid_job_cancels_it_and_nothing_prints_later(tmp_path: Path) -> None:
    """The next resident's paper never carries this resident's sheet."""
    async with stand(tmp_path) as at:
        await at.printer.set_fault("slow", on=True)
        with pytest.raises(DeviceFault, match="paper_out"):
            async with _raised_alone() as nursery:
                nursery.start_soon(at.driver.print_pdf, document(), "job-1")
                await at.until_health(Condition.BUSY)
                await at.printer.set_fault("paper_out", on=True)
        await at.printer.set_fault("paper_out", on=False)
        await at.printer.set_fault("slow", on=False)
        other = document(pages=2)
        await at.driver.print_pdf(other, "job-2")
        (sheet,) = at.printer.sheets
        assert sheet.pdf == other


@asynccontextmanager
async def _raised_alone() -> AsyncIterator[trio.Nursery]:
    try:
        async with trio.open_nursery() as nursery:
            yield nursery
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group


async def test_a_printer_that_loses_power_in_mid_job_leaves_it_unknown(tmp_path: Path) -> None:
    """It forgets the job: nobody knows whether the sheet came out, and the same job is not sent again."""
    async with stand(tmp_path) as at:
        await at.printer.set_fault("slow", on=True)
        with pytest.raises(OutcomeUnknown):
            async with _raised_alone() as nursery:
                nursery.start_soon(at.driver.print_pdf, document(), "job-1")
                await at.until_health(Condition.BUSY)
                await at.until(lambda: any((tmp_path / "page_printer" / "spool").iterdir()))
                await at.printer.set_fault("unplugged", on=True)
                await at.printer.set_fault("unplugged", on=False)
        with pytest.raises(OutcomeUnknown, match="already_tried"):
            await at.driver.print_pdf(document(), "job-1")


async def test_a_printer_that_is_busy_with_another_gets_the_document_once(tmp_path: Path) -> None:
    """Busy means not taken: the document is handed over again until it is taken, and comes out once."""
    async with stand(tmp_path) as at:
        (tmp_path / "other.pdf").write_bytes(document())
        await at.printer.set_fault("slow", on=True)
        command = ["ipptool", "-q", "-f", str(tmp_path / "other.pdf"), "-d", "filetype=application/pdf", at.printer.uri]
        await trio.run_process([*command, "print-job.test"])
        await at.printer.set_fault("slow", on=False)
        ours = document(pages=2)
        await at.driver.print_pdf(ours, "job-1")
        assert [sheet.pdf == ours for sheet in at.printer.sheets] == [False, True]


async def test_an_unplugged_printer_is_absent_and_comes_back(tmp_path: Path) -> None:
    """Nobody answers: absent, and nothing was handed over; the same driver sees it return."""
    async with stand(tmp_path) as at:
        await at.printer.set_fault("unplugged", on=True)
        await at.until_health(Condition.ABSENT, "absent")
        with pytest.raises(DeviceFault, match="absent"):
            await at.driver.print_pdf(document(), "job-1")
        await at.printer.set_fault("unplugged", on=False)
        await at.until_health(Condition.READY)
        await at.driver.print_pdf(document(), "job-1")
        assert len(at.printer.sheets) == 1


async def test_a_printer_without_pdf_says_so_at_the_start(tmp_path: Path) -> None:
    """It would print nothing that we have: a fault named no_pdf, before any job."""
    printer = IppPrinter(tmp_path, formats="image/pwg-raster")
    context = DeviceContext("page_printer", lambda health: None, JsonLog(io.StringIO()), tmp_path)
    async with trio.open_nursery() as nursery:
        await nursery.start(printer.run)
        with pytest.raises(DeviceFault, match="no_pdf"):
            await open_device({"uri": printer.uri, **QUICK}, context).run()
        nursery.cancel_scope.cancel()


async def test_over_tls_only_a_printer_that_is_vouched_for_is_used(tmp_path: Path) -> None:
    """With the printer's authority the sheet prints; without it the slot is a fault named untrusted."""
    printer = IppPrinter(tmp_path)
    context = DeviceContext("page_printer", lambda health: None, JsonLog(io.StringIO()), tmp_path)
    options = {**QUICK, "uri": printer.uri.replace("ipp://127.0.0.1", "ipps://localhost")}
    async with trio.open_nursery() as nursery:
        await nursery.start(printer.run)
        with pytest.raises(DeviceFault, match="untrusted"):  # and the printer makes its certificate meanwhile
            await open_device(options, context).run()
        driver = open_device({**options, "ca": str(tmp_path / "page_printer" / "keys" / "localhost.crt")}, context)
        await nursery.start(driver.run)
        await driver.print_pdf(document(), "job-1")
        assert len(printer.sheets) == 1
        nursery.cancel_scope.cancel()


async def test_ipptool_passes_the_stand_in(tmp_path: Path) -> None:
    """The stand-in answers another implementation's client as a printer should, its quiet bus notwithstanding."""
    (tmp_path / "a.pdf").write_bytes(document())
    printer = IppPrinter(tmp_path)
    async with trio.open_nursery() as nursery:
        await nursery.start(printer.run)
        for test in ("get-printer-attributes.test", "print-job.test", "get-jobs.test"):
            command = ["ipptool", "-t", "-T", "10", "-f", str(tmp_path / "a.pdf"), "-d", "filetype=application/pdf"]
            done = await trio.run_process([*command, printer.uri, test], capture_stdout=True, check=False)
            assert done.returncode == 0, done.stdout.decode()
        nursery.cancel_scope.cancel()
