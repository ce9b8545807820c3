"""The receipt printer behind a USB printer-class interface: bulk pipes, IEEE 1284 device id, port status.

Source: USB Device Class Definition for Printing Devices 1.1, section 4.2 (GET_DEVICE_ID, GET_PORT_STATUS, SOFT_RESET),
and the device id string of IEEE 1284. While the printer's buffer is full it takes nothing (NAK), status questions
included: such printers do, and that is why a driver keeps its unconfirmed bytes below the buffer.
"""

from simulators.devices.escpos import EscposPrinter
from simulators.devices.escpos_status import STOPPING
from simulators.usb.device import BulkDevice, Plate, Setup, Stalled

PRINTER_CLASS = 7
GET_DEVICE_ID, GET_PORT_STATUS, SOFT_RESET = 0, 1, 2
NOT_ERROR, SELECTED, PAPER_EMPTY = 0x08, 0x10, 0x20
VENDOR, PRODUCT = 0x0FE6, 0x811E  # ids that many unbranded Chinese receipt printers share
SAID_BYTES_MAX = 4096


class UsbReceiptPrinter(BulkDevice):
    """``printer`` is made with ``xon_xoff=False``: USB has its own way to make a computer wait."""

    def __init__(self, printer: EscposPrinter, serial: str, buffer_bytes: int = 4096) -> None:
        super().__init__(Plate(VENDOR, PRODUCT, PRINTER_CLASS, 1, 2, "Sample", "Receipt printer", serial))
        self.printer = printer
        self._buffer_bytes = buffer_bytes
        printer.wire = self._say

    def _say(self, chunk: bytes) -> None:
        self.said += chunk
        del self.said[:-SAID_BYTES_MAX]
        self.on_said()

    @property
    def room(self) -> int:
        """None while it is switched off; a printer without power would not be on the bus either."""
        return 0 if "off" in self.printer.faults else self._buffer_bytes - self.printer.waiting_bytes

    def take(self, chunk: bytes) -> None:
        self.printer.receive(chunk)

    @property
    def can_time_out(self) -> bool:
        return self.printer.can_time_out

    def tick(self, now_s: float) -> None:
        self.printer.tick(now_s)

    @property
    def device_id(self) -> bytes:
        """IEEE 1284: length, itself included, in two bytes, and keys with their values."""
        text = f"MFG:{self.plate.maker};MDL:{self.plate.model};CMD:ESC/POS;CLS:PRINTER;SN:{self.plate.serial};".encode()
        return (len(text) + 2).to_bytes(2, "big") + text

    @property
    def port_status(self) -> int:
        """From the printer as it is now; low paper has no bit here, only the printer's own answers have it."""
        faults = self.printer.faults
        paper = PAPER_EMPTY if "paper_out" in faults else 0
        selected = 0 if faults & {"offline", "cover_open", "cover_open_mute"} else SELECTED
        return paper | selected | (0 if faults & STOPPING else NOT_ERROR)

    def class_request(self, setup: Setup, sent: bytes) -> bytes:
        if setup.request == GET_DEVICE_ID and setup.to_host:
            return self.device_id
        if setup.request == GET_PORT_STATUS and setup.to_host:
            return bytes((self.port_status,))
        if setup.request == SOFT_RESET and not setup.to_host:
            self.said.clear()
            self.printer.power_cut()  # what was received and not printed is dropped
            return b""
        raise Stalled
