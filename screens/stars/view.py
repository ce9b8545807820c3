"""PIN entry: stars in the middle of the work zone, where a queue cannot look over the shoulder."""

from kiosk.domain.card import PinProgress, PinPrompt
from kiosk.domain.text import Text, say
from kiosk.ports import Answer, Stars
from screens.moment import Moment
from screens.sheet import Sheet
from screens.theme import Box
from screens.tiles import view as tiles

PROMPTS: dict[PinPrompt, Text] = {
    PinPrompt.CURRENT: say("Your present PIN"),
    PinPrompt.NEW: say("The new PIN"),
    PinPrompt.REPEAT: say("The new PIN again"),
}

GROUP, ROW = 4, 16  # digits of a part of a key, as they stand on paper


def draw(sheet: Sheet, moment: Moment, answers: list[Answer], box: Box) -> None:
    body = moment.question.body
    assert isinstance(body, Stars)
    if sheet.theme.portrait:
        box = tiles.at_foot(sheet, moment, answers, box, numbered=False)  # here every digit belongs to the PIN
    else:
        box = tiles.at_side(sheet, moment, answers, box)
    progress = moment.progress or PinProgress(PinPrompt.CURRENT, 0)
    _field(sheet, moment, body, progress, box)


def height(sheet: Sheet, answers: int) -> int:
    """The least height of the field with what stands below it upright. On a wide glass, whose height is scarce,
    answers stand beside."""
    return _field_height(sheet) + (tiles.rows_height(sheet, answers) if sheet.theme.portrait else 0)


def _field_height(sheet: Sheet) -> int:
    """Prompt, one row of rings, air."""
    return sheet.theme.line_h("label") + sheet.theme.type.figure + 2 * sheet.theme.sizes.pad


def _field(sheet: Sheet, moment: Moment, body: Stars, progress: PinProgress, box: Box) -> None:
    """A card with the prompt and below it one ring a digit, the typed ones filled."""
    theme, colour = sheet.theme, sheet.theme.colour
    words = moment.words(body.prompt or PROMPTS[progress.prompt])
    count = max(body.digits_max, progress.digits)
    least, many = _field_height(sheet), count > ROW
    high = min(box.h, least + 2 * theme.sizes.pad + (2 * theme.type.figure if many else 0))
    card = box.centred(box.w, high)
    sheet.panel(card, colour.surface, colour.line, theme.sizes.outline)
    label_h = theme.line_h("label")
    top = card.y + theme.sizes.pad // 2 + (0 if many else (high - least) // 2)
    sheet.line(Box(card.x, top, card.w, label_h), words, "label", colour.ink, colour.surface, bold=True, align="centre")
    rings_h = card.bottom - top - label_h if many else theme.type.figure + theme.sizes.pad
    _rings(sheet, Box(card.x, top + label_h, card.w, rings_h), count, progress.digits)


def _rings(sheet: Sheet, box: Box, count: int, typed: int) -> None:
    """As large as they fit in the middle of ``box``: a PIN in one row, a part of a key in rows of groups of four."""
    theme = sheet.theme
    side, row = max(_side(sheet, box, count, row) for row in ((ROW, ROW // 2) if count > ROW else (count,)))
    group = GROUP if count > ROW else count
    rows, gaps = -(-count // row), row // group - 1
    step = side * 3 // 2
    left = box.x + (box.w - row * step + step - side - gaps * (side // 2)) // 2
    top = box.y + (box.h - rows * step + step - side) // 2
    for index in range(count):
        down, across = divmod(index, row)
        at = Box(left + across * step + across // group * (side // 2), top + down * step, side, side)
        name = "digit_typed" if index < typed else "digit_open"
        sheet.drawing(at, name, theme.colour.ink, theme.colour.surface)


def _side(sheet: Sheet, box: Box, count: int, row: int) -> tuple[int, int]:
    """How large a ring can be with ``row`` of them beside each other, and that number."""
    rows, gaps = -(-count // row), row // GROUP - 1 if count > ROW else 0
    high = box.h * 3 // 4 if rows == 1 else box.h * 2 // (3 * rows)
    return min(sheet.theme.type.figure, high, box.w * 2 // (3 * row + gaps)), row
