"""Pages that prove a printer, asked for from afar: nothing personal is on them."""

from kiosk.domain.receipt import LineStyle, Receipt, ReceiptLine
from kiosk.domain.text import say

_POINTS = ((72, 760, 24, "Test page"), (72, 720, 14, "{terminal}"), (72, 696, 14, "{moment}"))


def trial_receipt(terminal: str, moment: str) -> Receipt:
    return Receipt(
        (
            ReceiptLine(say("Test page"), LineStyle.BIG),
            ReceiptLine(say("{words}", words=terminal)),
            ReceiptLine(say("{words}", words=moment)),
        )
    )


def trial_pdf(terminal: str, moment: str) -> bytes:
    """One A4 page of three lines (PDF 1.4, ISO 32000-1, 7.5); ``terminal`` and ``moment`` hold no brackets."""
    shown = "\n".join(
        f"BT /F {size} Tf {x} {y} Td ({words.format(terminal=terminal, moment=moment)}) Tj ET"
        for x, y, size, words in _POINTS
    )
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
        f"<< /Length {len(shown)} >>\nstream\n{shown}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    written, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(written))
        written += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"trailer\n<< /Size {len(places) + 1} /Root 1 0 R >>\nstartxref\n{len(written)}\n%%EOF\n"
    return f"{written}xref\n0 {len(places) + 1}\n0000000000 65535 f \n{table}{end}".encode("ascii")
