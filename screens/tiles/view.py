"""Numbered answers as tiles or rows; the number is the pad's key for the same answer."""

from dataclasses import dataclass

from kiosk.domain.text import Amount, Name, Text, Value, say
from kiosk.l10n import shown
from kiosk.ports import Answer, Role
from screens import acts
from screens.frame.strip import split, strip, turn_in_act, turns_in_act
from screens.moment import Moment
from screens.picture import Target
from screens.sheet import TIGHT, Sheet
from screens.theme import Box
from screens.typeface import measure


@dataclass(frozen=True)
class Grid:
    """How many cells of which size stand in a box."""

    columns: int
    rows: int
    w: int
    h: int

    @property
    def capacity(self) -> int:
        return self.columns * self.rows


def draw(sheet: Sheet, moment: Moment, answers: list[Answer], box: Box) -> None:
    """Lay out ``answers`` in ``box``, a page of them where not all fit; page buttons in the act zone where it is
    free, else below or beside them."""
    as_rows = not any(answer.role is Role.TILE for answer in answers)
    grid = _grid(sheet, box, as_rows)
    pages = 1
    if not sheet.pages_before and turns_in_act(sheet, moment.question):
        pages = max(1, -(-len(answers) // grid.capacity))
        turn_in_act(sheet, moment, pages)
    elif len(answers) > grid.capacity or sheet.pages_before:
        box, foot = split(sheet, box)
        grid = _grid(sheet, box, as_rows)
        pages = -(-len(answers) // grid.capacity)
        strip(sheet, moment, foot, pages, hide=False)
    page = min(moment.page - sheet.pages_before, pages - 1)
    for index, answer in enumerate(answers[page * grid.capacity :][: grid.capacity]):
        _cell(sheet, moment, answer, _at(sheet, box, grid, index), index + 1, as_rows)


def at_foot(sheet: Sheet, moment: Moment, answers: list[Answer], box: Box, numbered: bool = True) -> Box:
    """Answers beside another body: rows at its foot, without ``numbered`` for the finger alone. Answers the box that
    is left for the body."""
    if not answers:
        return box
    foot = rows_height(sheet, len(answers))
    gap = sheet.theme.sizes.gap
    for index, answer in enumerate(answers):
        y = box.bottom - foot + gap + index * (sheet.theme.sizes.row_h + gap)
        key = index + 1 if numbered else -1
        _cell(sheet, moment, answer, Box(box.x, y, box.w, sheet.theme.sizes.row_h), key, True)
    return Box(box.x, box.y, box.w, box.h - foot)


def at_side(sheet: Sheet, moment: Moment, answers: list[Answer], box: Box) -> Box:
    """Answers at the right of another body, for the finger alone. Answers the box that is left for the body."""
    if not answers:
        return box
    sizes, wide = sheet.theme.sizes, sheet.theme.sizes.side_w
    high = min(sizes.tile[1], (box.h + sizes.gap) // len(answers) - sizes.gap)
    top = box.y + (box.h - len(answers) * (high + sizes.gap) + sizes.gap) // 2
    for index, answer in enumerate(answers):
        _cell(sheet, moment, answer, Box(box.right - wide, top + index * (high + sizes.gap), wide, high), -1, True)
    return Box(box.x, box.y, box.w - wide - sizes.gap, box.h)


def least_height(sheet: Sheet, answers: list[Answer]) -> int:
    """All the tiles of a full page, or as many rows as there are answers where that is less."""
    sizes = sheet.theme.sizes
    as_rows = not any(answer.role is Role.TILE for answer in answers)
    columns = 1 if as_rows else max(1, (sheet.theme.zones.work.w + sizes.gap) // (sizes.tile[0] + sizes.gap))
    high = sizes.row_h if as_rows else sizes.tile[1]
    rows = -(-len(answers) // columns)
    return min(rows * (high + sizes.gap) - sizes.gap, sheet.theme.zones.work.h)


def rows_height(sheet: Sheet, count: int) -> int:
    """Height of ``count`` rows with the gaps above them."""
    return count * (sheet.theme.sizes.row_h + sheet.theme.sizes.gap)


def _grid(sheet: Sheet, box: Box, as_rows: bool) -> Grid:
    sizes = sheet.theme.sizes
    wide, high = (box.w, sizes.row_h) if as_rows else sizes.tile
    columns = max(1, (box.w + sizes.gap) // (wide + sizes.gap))
    wide = min(wide, box.w)
    rows = max(1, (box.h + sizes.gap) // (high + sizes.gap))
    return Grid(columns, min(rows, 9 // columns), wide, high)


def _at(sheet: Sheet, box: Box, grid: Grid, index: int) -> Box:
    gap = sheet.theme.sizes.gap
    row, column = divmod(index, grid.columns)
    return Box(box.x + column * (grid.w + gap), box.y + row * (grid.h + gap), grid.w, grid.h)


def _cell(sheet: Sheet, moment: Moment, answer: Answer, box: Box, key: int, as_row: bool) -> None:
    target = Target(acts.of_answer(answer.value), box, key, bool(answer.unavailable))
    ink, fill = sheet.button(target, focus=moment.focus == target.act)
    if moment.refused == answer.value and answer.unavailable:
        _reason(sheet, moment.words(answer.unavailable), target, ink, fill)
    elif sheet.theme.sizes.tile_upright and not as_row:
        _upright(sheet, moment, answer, target, ink, fill)
    else:
        _beside(sheet, moment, answer, target, ink, fill, as_row)


def _reason(sheet: Sheet, words: str, target: Target, ink: str, fill: str) -> None:
    """Why not, in the place that was touched."""
    inner = target.box.inset(sheet.theme.sizes.pad, sheet.theme.sizes.pad // 2)
    role, lines = sheet.fit(words, inner.w, 6, ("body", "note"), False, inner.h)
    sheet.middle(inner, lines, role, ink, fill, target=target.act)


def _upright(sheet: Sheet, moment: Moment, answer: Answer, target: Target, ink: str, fill: str) -> None:
    sizes, inner = sheet.theme.sizes, target.box.inset(sheet.theme.sizes.pad)
    _icon(sheet, answer, target, Box(inner.x, inner.y, sizes.icon, sizes.icon), ink)
    badge = Box(inner.right - sizes.icon, inner.y, sizes.icon, sheet.theme.line_h("label"))
    _number(sheet, target, badge, ink, fill, "right")
    top = inner.y + sizes.icon + sizes.pad // 4  # leaves a label of two lines and a note their room
    _label(sheet, moment, answer, target, Box(inner.x, top, inner.w, inner.bottom - top), ink, fill)


def _beside(sheet: Sheet, moment: Moment, answer: Answer, target: Target, ink: str, fill: str, as_row: bool) -> None:
    sizes = sheet.theme.sizes
    inner = target.box.inset(sizes.pad, sizes.outline if as_row else sizes.pad // 2)
    high = sheet.theme.line_h("label")
    icon = min(sizes.icon, inner.h) if as_row or sheet.theme.portrait else min(sizes.icon, inner.h - high)
    column = Box(inner.x, inner.y, max(icon, sheet.theme.type.label), inner.h)
    if as_row or sheet.theme.portrait:
        badge = sheet.theme.type.label if _key_shown(target) else 0
        _number(sheet, target, Box(column.x, inner.y, badge, inner.h), ink, fill, "left")
        column = Box(inner.x + badge, inner.y, icon if answer.icon else 0, inner.h)
        at = Box(column.x, inner.y + (inner.h - icon) // 2, icon, icon)
    else:
        _number(sheet, target, Box(column.x, inner.y, icon, high), ink, fill, "centre")
        at = Box(column.x, inner.bottom - icon, icon, icon)
    _icon(sheet, answer, target, at, ink)
    left = column.right + (sizes.pad if column.w else 0)
    room = Box(left, inner.y, inner.right - left, inner.h)
    if not (as_row and _side_by_side(sheet, moment, answer, target, room, ink, fill)):
        _label(sheet, moment, answer, target, room, ink, fill, middle=True)


def _side_by_side(sheet: Sheet, moment: Moment, answer: Answer, target: Target, box: Box, ink: str, fill: str) -> bool:
    """In a row of a wide glass: label left and note right on one line, where both have room. Whether they had."""
    note_text = _note_text(answer)
    if note_text is None or sheet.theme.portrait:
        return False
    label, note = moment.words(answer.label), moment.words(note_text)
    em = sheet.theme.type
    if measure(label, em.label, True) + sheet.theme.sizes.gap + measure(note, em.note, False) > box.w:
        return False
    if max(len(sheet.lines(label, box.w, "label", True)), len(sheet.lines(note, box.w, "note", False))) > 1:
        return False  # longer than a line may be
    down = sheet.theme.colour.on_tint
    sheet.line(box, label, "label", ink, fill, bold=True, target=target.act, down_colour=down)
    shade = sheet.theme.colour.ink2
    sheet.line(box, note, "note", shade, fill, align="right", target=target.act, down_colour=down)
    return True


def _sum_alone(moment: Moment, note: Text) -> str:
    """The first personal value of a note that has no room to stand whole: half a sentence or half a day misleads."""
    value = next(value for value in note.args.values() if isinstance(value, Amount | Name) or _personal(value))
    if isinstance(value, Text):
        return _sum_alone(moment, value)
    return shown(value, moment.preferences.language, not moment.amounts_shown)


def _personal(value: Value) -> bool:
    return isinstance(value, Text) and value.personal


def _note_text(answer: Answer) -> Text | None:
    return say("Not now") if answer.unavailable else answer.note


def _icon(sheet: Sheet, answer: Answer, target: Target, box: Box, ink: str) -> None:
    if not answer.icon:
        return
    colour = sheet.theme.colour
    fill = colour.line if target.refuses else colour.action
    sheet.drawing(box, answer.icon, ink, fill, target.act, colour.on_tint)


def _key_shown(target: Target) -> bool:
    """A number is a promise that the pad's key answers."""
    return target.key >= 0


def _number(sheet: Sheet, target: Target, box: Box, ink: str, fill: str, align: str) -> None:
    if not _key_shown(target):
        return
    colour = sheet.theme.colour
    shade = ink if target.refuses else colour.action
    sheet.line(
        box, str(target.key), "label", shade, fill, bold=True, align=align, target=target.act,
        down_colour=colour.on_tint,
    )  # fmt: skip


def _label(
    sheet: Sheet, moment: Moment, answer: Answer, target: Target, box: Box, ink: str, fill: str, middle: bool = False
) -> None:
    """The label, and below it the note or "not now". A label is never cut; a note gives way to it."""
    note_text, words, roles = _note_text(answer), moment.words(answer.label), ("label", "body", "note")
    for note_role in ("body", "note") if middle and sheet.theme.portrait else ("note",):
        # "Not now" is bold: what an eye without colour must see of a tile that is shut.
        notes = sheet.lines(moment.words(note_text), box.w, note_role, target.refuses)[:2] if note_text else ()
        role, lines = sheet.fit(words, box.w, 3, roles, True, box.h - len(notes) * sheet.tight(note_role))
        too_high = len(lines) * sheet.tight(role) + len(notes) * sheet.tight(note_role) > box.h
        if not too_high and len(notes) < 2:
            break
    if too_high and note_text and note_text.personal and measure(words, sheet.theme.type.note, True) <= box.w:
        role, lines = "note", (words,)  # a sum never gives way: then the label is one small line, however long
        room = box.h // sheet.tight("note") - 1
        notes = notes if len(notes) <= room else (_sum_alone(moment, note_text),)
    elif too_high:
        notes = ()
        role, lines = sheet.fit(words, box.w, 3, roles, True, box.h)
    high = len(lines) * sheet.tight(role) + len(notes) * sheet.tight(note_role)
    top = box.y + (max(0, box.h - high) // 2 if middle else 0)
    down = sheet.theme.colour.on_tint
    at = Box(box.x, top, box.w, box.h)
    y = sheet.block(at, lines, role, ink, fill, bold=True, target=target.act, down_colour=down, lead=TIGHT)
    at = Box(box.x, y, box.w, box.h)
    sheet.block(
        at, notes, note_role, sheet.theme.colour.ink2, fill, bold=target.refuses, target=target.act, down_colour=down,
        lead=TIGHT,
    )  # fmt: skip
