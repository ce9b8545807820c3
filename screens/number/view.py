"""A number as it is typed, and keys to touch for who does not use the pad: three columns upright, four across."""

from kiosk.domain.text import say
from kiosk.ports import Answer, Number
from screens import acts
from screens.moment import Moment
from screens.picture import Target
from screens.sheet import Sheet
from screens.theme import LEADS, Box

DIGITS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 0)
CLEAR_LABEL = say("Clear")
_KEYS = len(DIGITS) + 1
_KEY_MM_MIN = 15.1
UPRIGHT, WIDE = 3, 4  # columns
TIGHT_LEAD = 1.25


def draw(sheet: Sheet, moment: Moment, answers: list[Answer], box: Box) -> None:
    """Upright: the field, and the keys below it."""
    assert isinstance(moment.question.body, Number)
    assert not answers, "a number is given by the main answer alone: digits choose nothing here"
    field_h = _field_height(sheet)
    _field(sheet, moment, Box(box.x, box.y, box.w, field_h))
    top = box.y + field_h + _gap(sheet)
    columns = UPRIGHT if (box.bottom - top - 3 * _gap(sheet)) // 4 >= _key_min(sheet) else 6
    _keys(sheet, moment, Box(box.x, top, box.w, box.bottom - top), columns)


def draw_wide(sheet: Sheet, moment: Moment, y: int, box: Box) -> None:
    """On a wide glass: explanation and below it the field at the left, the keys at the right."""
    wide, high = (box.w - sheet.theme.sizes.gap) // 2, _field_height(sheet)
    field_y = box.bottom - high
    lines = [sheet.lines(moment.words(text), wide, "body", False) for text in moment.question.explain]
    while lines and y + sum(map(len, lines)) * sheet.theme.type.body * TIGHT_LEAD > field_y:
        lines.pop()  # still spoken; a test holds that no page of ours comes to that
    lead = min(LEADS["body"], (field_y - y) / max(1, sum(map(len, lines))) / sheet.theme.type.body)
    colour = sheet.theme.colour
    for part in lines:
        y = sheet.block(Box(box.x, y, wide, 0), part, "body", colour.ink2, colour.paper, lead=lead)
    _field(sheet, moment, Box(box.x, field_y, wide, high))
    _keys(sheet, moment, Box(box.right - wide, box.y, wide, box.h), WIDE)


def height(sheet: Sheet) -> int:
    """The least height of field and keys: two rows of six."""
    return _field_height(sheet) + 2 * (_gap(sheet) + _key_min(sheet))


def _gap(sheet: Sheet) -> int:
    return sheet.theme.sizes.gap * 3 // 4


def _key_min(sheet: Sheet) -> int:
    return int(_KEY_MM_MIN / sheet.theme.mm_per_px) + 1


def _field_height(sheet: Sheet) -> int:
    return sheet.theme.line_h("figure")


def _field(sheet: Sheet, moment: Moment, box: Box) -> None:
    theme, colour = sheet.theme, sheet.theme.colour
    sheet.panel(box, colour.surface, colour.line, theme.sizes.outline)
    inner = box.inset(theme.sizes.pad, 0)
    if moment.entry:
        sheet.line(inner, moment.entry, "figure", colour.ink, colour.surface, bold=True, align="right")


def _keys(sheet: Sheet, moment: Moment, box: Box, columns: int) -> None:
    gap, rows = _gap(sheet), -(-_KEYS // columns)
    wide, high = (box.w - (columns - 1) * gap) // columns, (box.h - (rows - 1) * gap) // rows
    high = min(high, sheet.theme.sizes.row_h * 2)
    for index in range(_KEYS):
        # Upright the nought stands below the eight, as on the pad.
        row, column = divmod(index + (1 if columns == UPRIGHT and index == len(DIGITS) - 1 else 0), columns)
        if columns == UPRIGHT and index == len(DIGITS):
            row, column = rows - 1, 0
        double = wide + gap if columns == WIDE and index == len(DIGITS) else 0  # a word needs the free place beside it
        at = Box(box.x + column * (wide + gap), box.y + row * (high + gap), wide + double, high)
        _key(sheet, moment, at, index)


def _key(sheet: Sheet, moment: Moment, box: Box, index: int) -> None:
    is_clear = index == len(DIGITS)
    act = acts.CLEAR_DIGIT if is_clear else acts.of_digit(DIGITS[index])
    target = Target(act, box)
    ink, fill = sheet.button(target, focus=moment.focus == act)
    words = moment.words(CLEAR_LABEL) if is_clear else str(DIGITS[index])
    inner = box.inset(sheet.theme.sizes.pad // 2, sheet.theme.sizes.outline)
    role, lines = sheet.fit(words, inner.w, 1, ("label", "body", "note"), True, inner.h)
    down = sheet.theme.colour.on_tint
    sheet.middle(inner, lines, role, ink, fill, bold=True, align="centre", target=act, down_colour=down)


def typed(entry: str, act: str, body: Number) -> str:
    """What stands in the field after ``act``. Digits beyond the most are not taken."""
    if act == acts.CLEAR_DIGIT:
        return entry[:-1]
    digit = acts.digit(act)
    assert digit is not None
    return entry if len(entry) >= body.digits_max else entry + digit
