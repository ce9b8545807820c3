"""What comes out of the thermal printer, and how it looks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from io import BytesIO
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

_FONTS = (
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc", 2),
)
_PAPER, _INK, _SHADE = (247, 245, 238), (38, 38, 46), (226, 222, 210)
_MARGIN = 28  # dots of paper beside the printable width
_LEADING = 6


@dataclass(frozen=True)
class Cell:
    char: str
    cells: int  # 1 or 2
    wide: int = 1
    high: int = 1
    bold: bool = False


@dataclass(frozen=True)
class TextRow:
    cells: tuple[Cell, ...]
    align: int = 0  # 0 left, 1 centre, 2 right


@dataclass(frozen=True)
class RasterRow:
    """``dots`` holds rows of ``width_bytes``, MSB left, 1 = ink."""

    width_bytes: int
    dots: bytes


@dataclass(frozen=True)
class QrRow:
    content: str
    module_dots: int
    correction: str
    align: int = 1


Row = TextRow | RasterRow | QrRow


@dataclass(frozen=True)
class Paper:
    """One piece of paper. ``whole`` is false for one that ended before its cut (paper out, power cut).

    ``lines`` has one entry a row; a picture stands there as ``▦ WIDTHxHEIGHT``, a QR code as ``QR content``.
    ``raw`` is every byte since the last piece, real-time commands excepted.
    """

    id: int
    lines: tuple[str, ...]
    draw: Callable[[], bytes]
    raw: bytes
    whole: bool = True

    @cached_property
    def png(self) -> bytes:
        """Drawn when somebody looks: it takes longer than everything else that a printer does."""
        return self.draw()

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def codes(self) -> tuple[str, ...]:
        """Contents of the QR codes that the printer drew itself."""
        return tuple(line.removeprefix("QR ") for line in self.lines if line.startswith("QR "))


def words(row: Row) -> str:
    if isinstance(row, TextRow):
        return "".join(cell.char for cell in row.cells).rstrip()
    if isinstance(row, RasterRow):
        return f"▦ {row.width_bytes * 8}x{len(row.dots) // row.width_bytes}"
    return f"QR {row.content}"


def picture(rows: list[Row], dots: int, columns: int) -> bytes:
    """The paper as PNG: ``dots`` plus a margin on both sides, a shaded edge where it was cut."""
    drawn = [_draw(row, dots, columns) for row in rows]
    height = sum(one.height for one in drawn)
    sheet = Image.new("RGB", (dots + 2 * _MARGIN, height + 2 * _MARGIN), _PAPER)
    y = _MARGIN
    for one in drawn:
        sheet.paste(_INK, (_MARGIN, y), one)
        y += one.height
    edge = ImageDraw.Draw(sheet)
    edge.line((0, 0, sheet.width, 0), fill=_SHADE, width=3)
    edge.line((0, sheet.height - 2, sheet.width, sheet.height - 2), fill=_SHADE, width=3)
    out = BytesIO()
    sheet.quantize(16).save(out, "PNG")
    return out.getvalue()


def _draw(row: Row, dots: int, columns: int) -> Image.Image:
    """The row as an "L" mask: 255 = ink."""
    if isinstance(row, TextRow):
        return _draw_text(row, dots, dots // columns)
    if isinstance(row, RasterRow):
        height = len(row.dots) // row.width_bytes
        mask = Image.frombytes("1", (row.width_bytes * 8, height), row.dots).convert("L")
        return _placed(mask, dots, 0)
    matrix = segno.make(row.content, error=row.correction, micro=False).matrix
    small = Image.new("L", (len(matrix), len(matrix)))
    small.putdata([255 if bit else 0 for line in matrix for bit in line])
    side = len(matrix) * row.module_dots
    return _placed(small.resize((side, side), Image.Resampling.NEAREST), dots, row.align, pad=2 * row.module_dots)


def _placed(mask: Image.Image, dots: int, align: int, pad: int = 0) -> Image.Image:
    whole = Image.new("L", (dots, mask.height + 2 * pad))
    whole.paste(mask, (align * (dots - mask.width) // 2, pad))
    return whole


def _draw_text(row: TextRow, dots: int, cell_dots: int) -> Image.Image:
    high = max((cell.high for cell in row.cells), default=1)
    em = 2 * cell_dots
    whole = Image.new("L", (dots, em * high + _LEADING))
    width = sum(cell.cells * cell.wide * cell_dots for cell in row.cells)
    x = row.align * max(0, dots - width) // 2
    for cell in row.cells:
        glyph = _glyph(cell, em)
        whole.paste(glyph, (x, em * (high - cell.high)))
        x += cell.cells * cell.wide * cell_dots
    return whole


@lru_cache(maxsize=2048)
def _glyph(cell: Cell, em: int) -> Image.Image:
    image = Image.new("L", (cell.cells * em // 2, em))
    draw = ImageDraw.Draw(image)
    for shift in (0, 1) if cell.bold else (0,):
        draw.text((shift, em - em // 8), cell.char, font=_font(em), fill=255, anchor="ls")
    return image.resize((image.width * cell.wide, image.height * cell.high), Image.Resampling.NEAREST)


@lru_cache(maxsize=4)
def _font(em: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    for path, face in _FONTS:
        if Path(path).is_file():
            return ImageFont.truetype(path, em, index=face)
    return ImageFont.load_default(em)
