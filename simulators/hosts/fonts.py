"""The certificate's typefaces: HanaMin cut down once to the characters a world needs.

The full fonts hold 100,000 glyphs and cost seconds and 190 MB each time; the cut ones are a few kilobytes. HanaMinA
has the basic plane (with extension A), HanaMinB the rest: together they show every character of a resident's name.
"""

import hashlib
import logging
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

SOURCE = Path("/usr/share/fonts/truetype/hanazono")  # Debian package fonts-hanazono
FACES = ("HanaMinA", "HanaMinB")
ALWAYS = "".join(chr(code) for code in range(0x20, 0x7F)) + "·"


def cut_fonts(directory: Path, characters: str) -> list[Path]:
    """TrueType files with the glyphs of ``characters``, in order of preference; kept in ``directory``.

    Raises:
        OSError: the Debian package fonts-hanazono is not installed.
    """
    wanted = sorted(set(characters + ALWAYS))
    mark = hashlib.sha256("".join(wanted).encode()).hexdigest()[:16]
    return [_cut(face, directory / f"{face}-{mark}.ttf", wanted) for face in FACES]


def _cut(face: str, path: Path, wanted: list[str]) -> Path:
    if path.exists():
        return path
    logging.getLogger("fontTools.subset").setLevel(logging.ERROR)  # it warns of tables that the subset need not keep
    options = subset.Options(layout_features=[], hinting=False, notdef_outline=True)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[ord(char) for char in wanted])
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with TTFont(SOURCE / f"{face}.ttf", lazy=True) as font:
        subsetter.subset(font)
        font.save(unfinished)
    unfinished.rename(path)
    return path
