"""A receipt in one language, ready for the printer's own line breaking."""

from kiosk.domain.receipt import PaperLine, PaperReceipt, Receipt
from kiosk.l10n.words import render


def on_paper(receipt: Receipt, language: str, key: str) -> PaperReceipt:
    """``receipt`` in words; ``key`` names the print job."""
    lines = tuple(PaperLine(render(line.text, language), line.style) for line in receipt.lines)
    return PaperReceipt(key, lines, receipt.qr)
