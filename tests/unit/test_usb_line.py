"""The USB line against a printer behind pyusb's backend interface: claims, stalls, timeouts and the unplug."""

import io
from pathlib import Path

import pytest
import trio

from drivers.printer.escpos.driver import EscposPrinter as Driver
from drivers.printer.escpos.options import Options, read_options
from drivers.transport.line import Line, LineLost
from drivers.transport.usb import open_usb
from kiosk.basics.log import JsonLog
from kiosk.ports import DeviceContext
from simulators.devices.escpos import EscposPrinter as Simulator
from tests.receipt_stand import receipt
from tests.usb_stand import PRODUCT, VENDOR, UsbPrinterBackend


@pytest.fixture
def backend() -> UsbPrinterBackend:
    return UsbPrinterBackend(Simulator())


async def test_usblp_is_detached_and_a_question_answered(backend: UsbPrinterBackend) -> None:
    """The kernel's printer driver lets go, and a status travels both ways."""
    line = await open_usb(VENDOR, PRODUCT, backend=backend)
    await line.send(b"\x10\x04\x01")
    with trio.fail_after(5):
        assert await line.receive() == b"\x12"
    line.close()
    assert not backend.kernel_driver
    assert not backend.claimed


async def test_a_printer_that_somebody_else_holds_is_busy(backend: UsbPrinterBackend) -> None:
    """Fault 23: a double claim says busy, at once, and does not reset the other's printer."""
    backend.busy = True
    with pytest.raises(LineLost, match="busy"):
        await open_usb(backend=backend)


async def test_no_printer_is_absent(backend: UsbPrinterBackend) -> None:
    """Nothing plugged in, or only another model, is absent."""
    with pytest.raises(LineLost, match="absent"):
        await open_usb(0x1234, 0x5678, backend=backend)
    backend.unplug()
    with pytest.raises(LineLost, match="absent"):
        await open_usb(backend=backend)


async def test_a_stalled_endpoint_is_cleared_and_nothing_is_sent_twice(backend: UsbPrinterBackend) -> None:
    """EPIPE means not taken: after clearing, the same bytes go once; a stall for good is a lost line."""
    line = await open_usb(backend=backend)
    backend.stalls = 2
    await line.send(b"\x1b@hello\n")
    assert backend.printer.hanging == ("hello",)
    backend.stalls = 100
    with pytest.raises(LineLost, match="lost"):
        await line.send(b"again\n")
    line.close()


async def test_pulling_the_cable_ends_a_waiting_read(backend: UsbPrinterBackend) -> None:
    """The device is gone: reading, writing and closing all end."""
    line = await open_usb(backend=backend)
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_expect_lost, line)
            backend.unplug()
    with pytest.raises(LineLost):
        await line.send(b"x")
    line.close()


async def _expect_lost(line: Line) -> None:
    with pytest.raises(LineLost, match="lost"):
        await line.receive()


async def test_a_whole_receipt_prints_over_usb(backend: UsbPrinterBackend, tmp_path: Path) -> None:
    """The same driver, image included, over bulk endpoints that take it in pieces."""
    context = DeviceContext("receipt_printer", lambda health: None, JsonLog(io.StringIO()), tmp_path)

    async def open_line(_: Options) -> Line:
        return await open_usb(backend=backend)

    driver = Driver(read_options({"transport": "usb"}), context, open_line)
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            await nursery.start(driver.run)
            await driver.print_receipt(receipt(name="𠮷"))
            nursery.cancel_scope.cancel()
    (paper,) = backend.printer.papers
    assert paper.whole
    assert backend.printer.unknown == []
