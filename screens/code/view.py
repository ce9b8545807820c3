"""A code for somebody's telephone, and beside or below it the same in words for who compares by eye."""

from collections.abc import Iterable
from functools import lru_cache

from kiosk.domain.text import Text
from kiosk.ports import Answer, Code
from screens.moment import Moment
from screens.picture import Panel
from screens.sheet import Sheet
from screens.theme import Box
from screens.tiles import view as tiles

# What a camera reads is dark on light, whatever the palette of the screen.
DARK, LIGHT = "#13212B", "#FFFFFF"
QUIET = 4  # modules of light around it (ISO/IEC 18004)
TIGHT_LEAD = 1.25
SIDE_MM_MIN = 50  # read by a telephone at arm's length


def draw(sheet: Sheet, moment: Moment, answers: list[Answer], box: Box) -> None:
    """Upright: the code, and its words below it."""
    body = moment.question.body
    assert isinstance(body, Code)
    box = tiles.at_foot(sheet, moment, answers, box)
    below = _words_height(sheet, moment, body, box.w)
    side = min(box.w, box.h - below)
    _code(sheet, body.content, Box(box.x + (box.w - side) // 2, box.y, side, side))
    _words(sheet, moment, body.words, Box(box.x, box.y + side, box.w, below), "centre")


def draw_wide(sheet: Sheet, moment: Moment, y: int, box: Box) -> None:
    """On a wide glass: explanation and words at the left, the code at the right, as high as there is room."""
    body, colour = moment.question.body, sheet.theme.colour
    assert isinstance(body, Code)
    side = _wide_side(sheet, moment, body, Box(box.x, y, box.w, box.bottom - y))
    _code(sheet, body.content, Box(box.right - side, box.bottom - side, side, side))
    wide = box.w - side - sheet.theme.sizes.gap
    for text in moment.question.explain:
        lines = sheet.lines(moment.words(text), wide, "body", False)
        y = sheet.block(Box(box.x, y, wide, 0), lines, "body", colour.ink2, colour.paper, lead=TIGHT_LEAD)
    _words(sheet, moment, body.words, Box(box.x, y, wide, box.bottom - y), "left")


def _wide_side(sheet: Sheet, moment: Moment, body: Code, box: Box) -> int:
    """Two fifths of the glass, less where the words beside it need more room."""
    sides = [min(box.h, box.w * parts // 20) for parts in (8, 7, 6)]
    line_h = sheet.theme.line_h("body")
    for side in sides:
        wide = box.w - side - sheet.theme.sizes.gap
        texts = [(text, False) for text in moment.question.explain] + [(text, True) for text in body.words]
        count = sum(len(sheet.lines(moment.words(text), wide, "body", bold)) for text, bold in texts)
        if (count + 0.5) * line_h <= box.h:
            return side
    return sides[-1]


def height(sheet: Sheet, moment: Moment, body: Code) -> int:
    """The least height upright of the code with its words."""
    side = round(SIDE_MM_MIN / sheet.theme.mm_per_px)
    return side + _words_height(sheet, moment, body, sheet.theme.zones.work.w)


def _words_height(sheet: Sheet, moment: Moment, body: Code, width: int) -> int:
    count = sum(len(sheet.lines(moment.words(text), width, "body", True)) for text in body.words)
    return (count + 1) * sheet.theme.line_h("body")


def _words(sheet: Sheet, moment: Moment, words: tuple[Text, ...], box: Box, align: str) -> None:
    colour, y = sheet.theme.colour, box.y + sheet.theme.line_h("body") // 2
    for text in words:
        lines = sheet.lines(moment.words(text), box.w, "body", True)
        at = Box(box.x, y, box.w, 0)
        y = sheet.block(at, lines, "body", colour.ink, colour.paper, bold=True, align=align, lead=TIGHT_LEAD)


def _code(sheet: Sheet, content: str, box: Box) -> None:
    rows = _modules(content)
    module = box.w // (len(rows) + 2 * QUIET)
    assert module >= 2, "a code of this length is too fine for a camera"
    whole = module * (len(rows) + 2 * QUIET)
    card = box.centred(whole, whole)
    sheet.items.append(Panel(card, LIGHT))
    for y, row in enumerate(rows):
        for first, count in row:
            at = Box(card.x + (QUIET + first) * module, card.y + (QUIET + y) * module, count * module, module)
            sheet.items.append(Panel(at, DARK))


@lru_cache(maxsize=4)
def _modules(content: str) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Rows of dark runs: first module and how many. segno is imported here: no resident's page has a code."""
    import segno

    matrix = segno.make(content, error="m", micro=False, boost_error=False).matrix
    return tuple(tuple(_runs(row)) for row in matrix)


def _runs(row: Iterable[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for index, dark in enumerate(row):
        if dark and found and sum(found[-1]) == index:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        elif dark:
            found.append((index, 1))
    return found
