"""A receipt before and after its texts became a language."""

from dataclasses import dataclass
from enum import Enum

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
