"""Breaking text into lines: closing punctuation never starts a line, opening never ends one, words stay whole."""

import re
from collections.abc import Callable
from functools import lru_cache, partial

from screens.typeface import measure

NO_START = frozenset("，。、；：？！）》」』】”’…,.;:?!)]}%·")
NO_END = frozenset("（《「『【“‘([{¥")
LAST_CHARS_LONELY = 2  # with the full stop
EVENING_EMS_MAX = 4
# One unbreakable piece: an amount, a Latin word or number with its punctuation, or one other character.
_PIECE = re.compile(
    r"""¥ ?[0-9•,.\-]+(?: 元)?|[A-Za-z0-9¥•*"'’&/.,:;?!()\-+%_@#]+|\s+|.""",
    re.DOTALL,
)


@lru_cache(maxsize=2_048)
def break_lines(words: str, width: int, size: int, bold: bool) -> tuple[str, ...]:
    """Lines no wider than ``width`` px, unless one piece alone is wider (then it is broken between characters)."""
    lines: list[str] = []
    for paragraph in words.split("\n"):
        lines += _evened(paragraph, width, size, bold)
    return tuple(lines)


def _evened(words: str, width: int, size: int, bold: bool) -> list[str]:
    """No last line of one or two characters, where somewhat shorter lines before it need no line more; but what stands
    after a comma is a part of its own, however short."""
    lines = _break(words, partial(_fits, width, size, bold))
    for narrower in range(1, EVENING_EMS_MAX + 1):
        if len(lines) < 2 or len(lines[-1]) > LAST_CHARS_LONELY or lines[-2][-1] in NO_START:
            break
        even = _break(words, partial(_fits, width - narrower * size, size, bold))
        if len(even) == len(lines):
            lines = even
    return lines


def _fits(width: int, size: int, bold: bool, text: str) -> bool:
    return measure(text, size, bold) <= width


def _break(words: str, fits: Callable[[str], bool]) -> list[str]:
    lines: list[str] = []
    line = ""
    for piece in _pieces(words, fits):
        if fits((line + piece).rstrip()) or not line:
            line += piece
            continue
        keep = _kept(line, piece)
        lines.append(line[: len(line) - len(keep)].rstrip())
        line = (keep + piece).lstrip()
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _kept(line: str, piece: str) -> str:
    """The end of ``line`` that must move down with ``piece``."""
    count = 0
    if piece[0] in NO_START:
        count = 1
        while count < len(line) and line[-count] in NO_START:
            count += 1
    while count < len(line) and line[-count - 1] in NO_END:
        count += 1
    return line[len(line) - count :] if 0 < count < len(line) else ""


def _pieces(words: str, fits: Callable[[str], bool]) -> list[str]:
    pieces: list[str] = []
    for piece in _PIECE.findall(words):
        pieces += [piece] if fits(piece) else list(piece)
    return pieces


def forget() -> None:
    """See ``typeface.forget``."""
    break_lines.cache_clear()
