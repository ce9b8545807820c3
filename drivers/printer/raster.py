"""Lines and QR codes as dots, for what a printer's own font does not hold.

Pillow and segno are imported when first needed: most receipts need neither. Each character is drawn from the first
font of the chain that really holds its glyph, because Pillow itself has no fallback and draws a box.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

# Path and face number; Debian's fonts-noto-cjk and fonts-hanazono. Hanazono holds what Noto does not (extensions B-F).
DEFAULT_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc#2",
    "/usr/share/fonts/truetype/hanazono/HanaMinA.ttf",
    "/usr/share/fonts/truetype/hanazono/HanaMinB.ttf",
)
_NEVER_ASSIGNED = "\U0010ffff"
_WARM = ("0123456789.,:-/￥", "元年月日", "\U0002a6a5", "\U0002b820")  # the last two: of either Hanazono file
_LEADING = 6  # blank rows under a line, as the printer's own text has


class FontMissing(Exception):
    """No font of the chain could be opened: raster lines are impossible on this machine."""


@dataclass(frozen=True)
class Bitmap:
    """``rows`` holds ``height`` rows of ``width_bytes``, MSB left, 1 = ink."""

    width_bytes: int
    rows: bytes

    @property
    def height(self) -> int:
        return len(self.rows) // self.width_bytes


class Pen:
    """Draws one paper line at a time. ``cell_dots`` is the width of one ASCII cell, half the em of a hanzi."""

    def __init__(self, dots: int, columns: int, fonts: Sequence[str] = DEFAULT_FONTS) -> None:
        assert dots % 8 == 0
        self._dots = dots
        self._cell = dots // columns
        self._fonts = tuple(fonts)

    def warm(self) -> Iterator[None]:
        """Open the fonts and draw what every receipt has, a few milliseconds a step: the first receipt need not wait.

        Raises:
            FontMissing.
        """
        for part in _WARM:
            for char in part:
                _glyph(char, self._fonts, self._cell * 2, False)
            yield

    def line(self, words: str, style: str = "normal") -> Bitmap:
        """One line that was already wrapped; ``style`` normal, bold or big (double, centred).

        Raises:
            FontMissing.
        """
        from PIL import Image

        scale = 2 if style == "big" else 1
        cell, em = self._cell * scale, self._cell * 2 * scale
        image = Image.new("1", (self._dots, em + _LEADING * scale), 0)
        width = sum(_cells(char) for char in words) * cell
        x = (self._dots - width) // 2 if style == "big" else 0
        for char in words:
            drawn = _glyph(char, self._fonts, em, style == "bold")
            if drawn is not None:
                image.paste(drawn, (x, 0))
            x += _cells(char) * cell
        return Bitmap(self._dots // 8, image.tobytes())

    def qr(self, content: str) -> Bitmap:
        """The QR code centred, modules as large as fit up to eight dots, quiet zone of four."""
        import segno
        from PIL import Image

        matrix = segno.make(content, error="m", micro=False).matrix
        side = len(matrix)
        module = max(2, min(8, self._dots // (side + 8)))
        small = Image.new("1", (side, side), 0)
        small.putdata([bit for row in matrix for bit in row])
        image = Image.new("1", (self._dots, (side + 8) * module), 0)
        image.paste(small.resize((side * module, side * module)), ((self._dots - side * module) // 2, 4 * module))
        return Bitmap(self._dots // 8, image.tobytes())


def _cells(char: str) -> int:
    return 1 if char < "\x80" else 2


@lru_cache(maxsize=4)
def _chain(fonts: tuple[str, ...], em: int) -> list[FreeTypeFont]:
    from PIL import ImageFont

    present = [one for one in fonts if Path(one.partition("#")[0]).is_file()]
    if not present:
        raise FontMissing("none of the configured fonts is installed")
    chain = []
    for one in present:
        path, _, face = one.partition("#")
        chain.append(ImageFont.truetype(path, em, index=int(face or 0)))
    return chain


@lru_cache(maxsize=2048)  # about 100 bytes each
def _glyph(char: str, fonts: tuple[str, ...], em: int, bold: bool) -> Image | None:
    """The character in its one or two cells, kept because receipts repeat themselves; None for a space."""
    from PIL import Image, ImageDraw

    if char.isspace():
        return None
    image = Image.new("1", (em * _cells(char) // 2, em), 0)
    draw = ImageDraw.Draw(image)
    for shift in (0, 1) if bold else (0,):
        draw.text((shift, em - em // 8), char, font=_font_for(char, fonts, em), fill=1, anchor="ls")
    return image


def _font_for(char: str, fonts: tuple[str, ...], em: int) -> FreeTypeFont:
    """The first font that holds ``char``; the first of all, whose box is honest, if none does."""
    chain = _chain(fonts, em)
    for index, font in enumerate(chain):
        if bytes(font.getmask(char, mode="1")) != _missing_glyph(fonts, em, index):
            return font
    return chain[0]


@lru_cache(maxsize=32)
def _missing_glyph(fonts: tuple[str, ...], em: int, index: int) -> bytes:
    return bytes(_chain(fonts, em)[index].getmask(_NEVER_ASSIGNED, mode="1"))
