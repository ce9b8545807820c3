"""Rows of figures on one card: label left, value right on one axis, turned by pages, hidden by one touch."""

from dataclasses import dataclass

from kiosk.domain.text import Amount, Text
from kiosk.l10n import shown
from kiosk.ports import Answer, Figure, Figures
from screens.frame.strip import split, strip
from screens.moment import Moment
from screens.sheet import Sheet
from screens.theme import LEADS, Box
from screens.tiles import view as tiles
from screens.typeface import measure


@dataclass(frozen=True)
class _Row:
    """A figure broken into lines. ``stacked``: the value stands under the label because both are long."""

    figure: Figure
    labels: tuple[str, ...]
    values: tuple[str, ...]
    notes: tuple[str, ...]
    stacked: bool
    role: str
    h: int


def draw(sheet: Sheet, moment: Moment, answers: list[Answer], box: Box) -> None:
    body = moment.question.body
    assert isinstance(body, Figures)
    box = tiles.at_foot(sheet, moment, answers, box)
    hides = body.secret and any(_money(figure) for figure in body.rows)
    pages = _paged(_rows(sheet, moment, body, box, hides), box.h)
    if hides or len(pages) > 1 or sheet.pages_before or sheet.pages_after:
        whole = box
        box, foot = split(sheet, box)
        pages = _paged(_rows(sheet, moment, body, whole, True), box.h)
        strip(sheet, moment, foot, len(pages), hides)
    page = pages[min(moment.page - sheet.pages_before, len(pages) - 1)]
    sheet.figures = [row.figure for row in page]
    _card(sheet, page, box)


def _rows(sheet: Sheet, moment: Moment, body: Figures, box: Box, stripped: bool) -> list[_Row]:
    """All rows in the size of labels if they stand on one page so, else in that of the body."""
    room = split(sheet, box)[0] if stripped else box
    rows: list[_Row] = []
    for role in ("label", "body"):
        rows = [_row(sheet, moment, figure, room.w - 2 * sheet.theme.sizes.pad, role) for figure in body.rows]
        if len(_paged(rows, room.h)) == 1:
            return rows
    return rows


def _money(figure: Figure) -> bool:
    return isinstance(figure.value, Amount) or (isinstance(figure.value, Text) and figure.value.personal)


def _paged(rows: list[_Row], high: int) -> list[list[_Row]]:
    """A heading never ends a page; a row taller than the page stands alone."""
    pages: list[list[_Row]] = [[]]
    for row in rows:
        if pages[-1] and sum(other.h for other in pages[-1]) + row.h > high:
            carried: list[_Row] = []
            while len(pages[-1]) > 1 and pages[-1][-1].figure.heading and pages[-1][-1].figure.value is None:
                carried.insert(0, pages[-1].pop())
            pages.append(carried)
        pages[-1].append(row)
    return pages


def _row(sheet: Sheet, moment: Moment, figure: Figure, width: int, role: str) -> _Row:
    theme, bold = sheet.theme, figure.heading
    value = "" if figure.value is None else shown(figure.value, moment.preferences.language, not moment.amounts_shown)
    label = moment.words(figure.label)
    value_w = _width(sheet, value, role, True)
    stacked = (
        bool(value) and _width(sheet, label, role, bold) + value_w + theme.sizes.gap > width and value_w > width // 2
    )
    label_w = width if stacked or not value else width - value_w - theme.sizes.gap
    labels = sheet.lines(label, label_w, role, bold)
    values = sheet.lines(value, width, role, True) if value else ()
    notes = sheet.lines(moment.words(figure.note), width, "note", False) if figure.note else ()
    lines = len(labels) + len(values) if stacked else max(len(labels), len(values))
    high = lines * _line_h(sheet, role) + len(notes) * theme.line_h("note") + theme.sizes.pad
    return _Row(figure, labels, values, notes, stacked, role, high)


def _width(sheet: Sheet, words: str, role: str, bold: bool) -> int:
    return int(measure(words, getattr(sheet.theme.type, role), bold)) + 1


def _line_h(sheet: Sheet, role: str) -> int:
    return round(getattr(sheet.theme.type, role) * LEADS["body"])


def _card(sheet: Sheet, rows: list[_Row], box: Box) -> None:
    colour, pad = sheet.theme.colour, sheet.theme.sizes.pad
    high = min(box.h, sum(row.h for row in rows))
    sheet.panel(Box(box.x, box.y, box.w, high), colour.surface)
    y = box.y
    for index, row in enumerate(rows):
        if index:
            rule = Box(box.x + pad, y - 1, box.w - 2 * pad, 2)
            sheet.panel(rule, colour.sunken if not row.figure.heading else colour.line, radius=0)
        _draw_row(sheet, row, Box(box.x + pad, y + pad // 2, box.w - 2 * pad, row.h - pad))
        y += row.h


def _draw_row(sheet: Sheet, row: _Row, box: Box) -> None:
    colour = sheet.theme.colour
    lead = LEADS["body"]
    y = sheet.block(box, row.labels, row.role, colour.ink, colour.surface, bold=row.figure.heading, lead=lead)
    at = Box(box.x, y if row.stacked else box.y, box.w, box.h)
    end = sheet.block(at, row.values, row.role, colour.ink, colour.surface, bold=True, align="right", lead=lead)
    notes = Box(box.x, max(y, end), box.w, box.h)
    sheet.block(notes, row.notes, "note", colour.ink2, colour.surface)
