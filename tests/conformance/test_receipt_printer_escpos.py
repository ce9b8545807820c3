"""The ESC/POS driver is a receipt printer as the house understands it, on wide and on narrow paper."""

from simulators.devices.escpos import EscposPrinter
from tests.conformance.receipt_printer_suite import ReceiptPrinterSuite


class TestEscposWide(ReceiptPrinterSuite):
    name = "escpos"
    options = {"reply_s": 0.2, "poll_s": 0.3}  # noqa: RUF012 - a constant of the suite

    def printer(self) -> EscposPrinter:
        return EscposPrinter()


class TestEscposNarrowAtPaperSpeed(ReceiptPrinterSuite):
    name = "escpos"
    options = {"reply_s": 0.2, "poll_s": 0.3, "columns": 32, "dots": 384, "fence": "process_id"}  # noqa: RUF012 - a constant of the suite

    def printer(self) -> EscposPrinter:
        return EscposPrinter(columns=32, dots=384, lines_s=80)
