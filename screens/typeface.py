"""Measuring and rasterising text with glyph-by-glyph fallback, so that no name shows a box.

Kivy's text provider takes the first face of a collection (the Japanese forms) and has no fallback; Pillow selects
the SC face and places each run on the baseline. A face "has" a character when it draws something other than its
own .notdef.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ASCENT = 0.88  # of the em box, for hanzi faces
_SC = 2  # index of the SC face in Debian's Noto CJK collections


@dataclass(frozen=True)
class FontFile:
    path: Path
    index: int = 0


_NOTO = Path("/usr/share/fonts/opentype/noto")
_HANA = Path("/usr/share/fonts/truetype/hanazono")
REGULAR = FontFile(_NOTO / "NotoSansCJK-Regular.ttc", _SC)
BOLD = FontFile(_NOTO / "NotoSansCJK-Bold.ttc", _SC)
RARE = (FontFile(_HANA / "HanaMinA.ttf"), FontFile(_HANA / "HanaMinB.ttf"))


class FontsMissing(Exception):
    """A font package is not installed; the message names the file."""


@lru_cache(maxsize=12)  # one way of reading has six or seven sizes and four probes; each costs 0.8 MB, and 2 ms to open
def _font(file: FontFile, size: int) -> ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype(str(file.path), size, index=file.index, layout_engine=ImageFont.Layout.BASIC)
    except OSError as error:
        raise FontsMissing(f"{file.path}: {error}") from error


@lru_cache(maxsize=8)
def _notdef(file: FontFile) -> bytes:
    return bytes(_font(file, 24).getmask("\U0010fffe"))


@lru_cache(maxsize=16_384)
def has_glyph(file: FontFile, char: str) -> bool:
    return char.isspace() or bytes(_font(file, 24).getmask(char)) != _notdef(file)


def _face(char: str, bold: bool) -> FontFile:
    first = BOLD if bold else REGULAR
    if has_glyph(first, char):
        return first
    return next((file for file in RARE if has_glyph(file, char)), first)


def runs(words: str, bold: bool) -> list[tuple[FontFile, str]]:
    """``words`` split where the face must change."""
    parts: list[tuple[FontFile, str]] = []
    for char in words:
        face = _face(char, bold)
        if parts and parts[-1][0] == face:
            parts[-1] = (face, parts[-1][1] + char)
        else:
            parts.append((face, char))
    return parts


@lru_cache(maxsize=8_192)
def measure(words: str, size: int, bold: bool) -> float:
    """Advance width in px."""
    return sum(_font(file, size).getlength(part) for file, part in runs(words, bold))


@lru_cache(maxsize=128)  # two pages with many lines; a line has 30 to 100 KB
def raster(words: str, size: int, bold: bool, height: int) -> tuple[int, int, bytes]:
    """Coverage of one line ``height`` px high: width, height, one byte a pixel, rows from the top.

    The picture is larger than the line by ``overhang(size)`` on every side, for tails of letters.
    """
    edge = overhang(size)
    width = int(measure(words, size, bold)) + 1 + 2 * edge
    image = Image.new("L", (width, height + 2 * edge))
    pen = ImageDraw.Draw(image)
    baseline = edge + (height - size) / 2 + ASCENT * size
    x = float(edge)
    for file, part in runs(words, bold):
        font = _font(file, size)
        pen.text((x, baseline), part, fill=255, font=font, anchor="ls")
        x += font.getlength(part)
    return width, image.height, image.tobytes()


def overhang(size: int) -> int:
    return size // 4


def forget() -> None:
    """Drop every cached text: names and amounts must not outlive a session."""
    raster.cache_clear()
    measure.cache_clear()
