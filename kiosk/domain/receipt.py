"""A receipt before and after its texts became a language."""

from dataclasses import dataclass
from enum import Enum

from kiosk.domain.money import Fen
from kiosk.domain.text import Text


class LineStyle(Enum):
    NORMAL = "normal"
    BOLD = "bold"
    BIG = "big"  # double width and height, centred
    RULE = "rule"  # a line across the paper; the text is ignored


@dataclass(frozen=True)
class ReceiptLine:
    text: Text
    style: LineStyle = LineStyle.NORMAL


@dataclass(frozen=True)
class Receipt:
    """What a service wants on paper. ``qr`` is the content of a QR code under the lines, if any."""

    lines: tuple[ReceiptLine, ...]
    qr: str | None = None


@dataclass(frozen=True)
class PaperLine:
    words: str
    style: LineStyle = LineStyle.NORMAL


@dataclass(frozen=True)
class PaperReceipt:
    """What a receipt printer gets. ``key`` names the job: the same key is the same piece of paper."""

    key: str
    lines: tuple[PaperLine, ...]
    qr: str | None = None


@dataclass(frozen=True)
class ReceiptRecord:
    """That a receipt came out, for the host of its service. Times are ISO texts.

    ``paper`` is its row in the terminal's journal and in its QR code; ``reference`` names the act at that host, and is
    "" where money alone was given back. ``held_fen``: booked nowhere yet, or not certain that it came out.
    """

    terminal_id: str
    case_code: str
    paper: int
    kind: str
    reference: str
    owed_at: str
    printed_at: str
    reprint: bool
    paid_out_fen: Fen
    owed_fen: Fen
    held_fen: Fen
