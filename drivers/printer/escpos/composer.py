"""From the lines of a receipt to the pieces that go to the printer, one paper line after the other."""

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.printer.escpos import codec
from drivers.printer.raster import Bitmap, Pen

FEED_LINES = 3
LINE_DOTS = 30  # of one line of text
QR_MODULE_DOTS_MIN, QR_MODULE_DOTS_MAX = 3, 6  # of 1/8 mm: smaller ones no scanner reads from thermal paper
QR_DOTS_MAX = 440  # a larger one would only take paper


@dataclass(frozen=True)
class Piece:
    """Complete commands, and how many lines of paper they move."""

    bytes_: bytes
    paper_lines: int = 0


@dataclass(frozen=True)
class Paper:
    """What this printer and its paper are: 80 mm = 576 dots and 48 columns, 58 mm = 384 dots and 32."""

    columns: int = 48
    dots: int = 576
    charset: str = "gbk"  # what its own font surely holds; a line outside it is drawn
    qr: str = "native"  # or "raster", where the printer draws none
    present: bytes = b""  # behind the cut


def compose(lines: Sequence[tuple[str, str]], qr: str | None, paper: Paper, pen: Pen) -> list[Piece]:
    """Every piece of one receipt, without the fence. ``lines`` are (words, style) as ``codec.text_piece`` takes them.

    Raises:
        FontMissing: a line must be drawn and no font is there.
    """
    pieces = [Piece(codec.INIT + codec.HANZI_ON)]
    for words, style in lines:
        if style == "rule" or codec.encodable(codec.clean(words), paper.charset):
            pieces.append(Piece(*codec.text_piece(words, style, paper.columns, paper.charset)))
        else:
            pieces += _drawn(codec.clean(words), style, paper, pen)
    if qr is not None:
        pieces += _qr(qr, paper, pen)
    return [*pieces, Piece(codec.feed(FEED_LINES) + codec.CUT + paper.present, FEED_LINES)]


def _drawn(words: str, style: str, paper: Paper, pen: Pen) -> list[Piece]:
    columns = paper.columns // 2 if style == "big" else paper.columns
    return [
        piece
        for line in codec.wrap(words, columns)
        for piece in _bands(pen.line(line, style), 2 if style == "big" else 1)
    ]


def _qr(content: str, paper: Paper, pen: Pen) -> list[Piece]:
    if paper.qr == "native":
        side = codec.qr_side(content)
        module = max(QR_MODULE_DOTS_MIN, min(QR_MODULE_DOTS_MAX, min(paper.dots, QR_DOTS_MAX) // side))
        return [Piece(codec.qr_piece(content, module), side * module // LINE_DOTS + 1)]
    drawn = pen.qr(content)
    return _bands(drawn, drawn.height // LINE_DOTS + 1)


def _bands(bitmap: Bitmap, paper_lines: int) -> list[Piece]:
    bands = codec.raster_pieces(bitmap.width_bytes, bitmap.rows)
    return [Piece(band, paper_lines if index == 0 else 0) for index, band in enumerate(bands)]


def batches(pieces: Sequence[Piece], bytes_max: int) -> list[Piece]:
    """Neighbouring pieces put together up to ``bytes_max``, so that few questions stand between them."""
    grouped: list[Piece] = []
    for piece in pieces:
        last = grouped[-1] if grouped else None
        if last is not None and len(last.bytes_) + len(piece.bytes_) <= bytes_max:
            grouped[-1] = Piece(last.bytes_ + piece.bytes_, last.paper_lines + piece.paper_lines)
        else:
            grouped.append(piece)
    return grouped
