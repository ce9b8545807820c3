"""Hide or show amounts, page before, page after: below the work on an upright glass, beside it on a wide one; or in the
act zone, where nothing but the way back stands there and tiles want all the room."""

from kiosk.domain.text import Text, say
from kiosk.ports import Question, Role, Tiles
from screens import acts
from screens.frame.act import standing
from screens.frame.heading import marked, top_of
from screens.moment import Moment
from screens.picture import Target
from screens.sheet import Sheet
from screens.theme import Box


def split(sheet: Sheet, box: Box) -> tuple[Box, Box]:
    """``box`` without the strip, and the strip."""
    sizes = sheet.theme.sizes
    if sheet.theme.portrait:
        high = sizes.strip_h
        return (
            Box(box.x, box.y, box.w, box.h - high - sizes.gap),
            Box(box.x, box.bottom - high, box.w, high),
        )
    wide = sizes.strip_w
    zone = sheet.theme.zones.work
    return (
        Box(box.x, box.y, box.w - wide - sizes.gap, box.h),
        Box(box.right - wide, zone.y, wide, zone.h),
    )


def strip(sheet: Sheet, moment: Moment, box: Box, pages: int, hide: bool) -> None:
    """``pages`` of the body; those of the explanation before and after it are counted with them."""
    sheet.pages = pages + sheet.pages_before + sheet.pages_after
    hide_at, before, count, after = _row(sheet, box) if sheet.theme.portrait else _column(sheet, moment, box)
    align = "centre" if sheet.theme.portrait else "right"
    if hide:
        word = say("Hide") if moment.amounts_shown else say("Show")
        _button(sheet, moment, acts.HIDE, hide_at, word)
    if sheet.pages < 2:
        return
    page = min(moment.page, sheet.pages - 1)
    if page > 0:
        _button(sheet, moment, acts.PREVIOUS, before, say("Previous"))
    if page < sheet.pages - 1:
        _button(sheet, moment, acts.NEXT, after, say("Next"))
    _count(sheet, count, page, sheet.pages, align)


def turns_in_act(sheet: Sheet, question: Question) -> bool:
    """Whether the right of the act zone is free for the buttons that turn pages of tiles."""
    tiles = isinstance(question.body, Tiles)
    return tiles and all(answer.role is Role.BACK for answer in standing(sheet, question))


def turn_in_act(sheet: Sheet, moment: Moment, pages: int) -> None:
    """Page before and page after at the right of the act zone; the count at the right of the question, on an upright
    glass above the tiles."""
    sheet.pages = pages
    if pages < 2:
        return
    zone, (back, high), gap = sheet.theme.zones.act, sheet.theme.sizes.button, sheet.theme.sizes.gap
    wide = (zone.w - back - 2 * gap) // 2
    after = Box(zone.right - wide, zone.y + (zone.h - high) // 2, wide, high)
    page = min(moment.page, pages - 1)
    if page > 0:
        _button(sheet, moment, acts.PREVIOUS, Box(after.x - gap - wide, after.y, wide, high), say("Previous"))
    if page < pages - 1:
        _button(sheet, moment, acts.NEXT, after, say("Next"))
    _count(sheet, _count_box(sheet, moment), page, pages, "right")


def _count_box(sheet: Sheet, moment: Moment) -> Box:
    if not sheet.theme.portrait:
        return _beside_question(sheet, moment, sheet.theme.type.label * 3)
    zone, wide, high = sheet.theme.zones.question, sheet.theme.type.body * 3, sheet.theme.line_h("body")
    return Box(zone.right - wide, zone.bottom - high - sheet.theme.sizes.pad // 2, wide, high)


def _beside_question(sheet: Sheet, moment: Moment, wide: int) -> Box:
    """At the right of the question on a wide glass, below the shape of the tone."""
    zone = sheet.theme.zones.question
    if not marked(moment):
        return Box(zone.right - wide, zone.y, wide, sheet.theme.line_h("question"))
    top = top_of(sheet) + sheet.theme.sizes.mark
    return Box(zone.right - wide, top, wide, zone.bottom - top)


def _count(sheet: Sheet, box: Box, page: int, pages: int, align: str) -> None:
    words, colour = f"{page + 1}/{pages}", sheet.theme.colour
    sheet.line(box, words, "body", colour.ink, colour.paper, bold=True, align=align)


def _row(sheet: Sheet, box: Box) -> tuple[Box, Box, Box, Box]:
    gap, count_w = sheet.theme.sizes.gap, sheet.theme.type.body * 3
    wide = (box.w - count_w - gap) // 3
    after = Box(box.right - wide, box.y, wide, box.h)
    count = Box(after.x - count_w, box.y, count_w, box.h)
    return Box(box.x, box.y, wide, box.h), Box(count.x - wide, box.y, wide, box.h), count, after


def _column(sheet: Sheet, moment: Moment, box: Box) -> tuple[Box, Box, Box, Box]:
    """Three buttons; the count stands at the right of the question above them, below the shape of the tone."""
    high = sheet.theme.sizes.strip_h
    free = box.h - 3 * high
    after = Box(box.x, box.bottom - high, box.w, high)
    before = Box(box.x, after.y - high - free // 2, box.w, high)
    count = _beside_question(sheet, moment, box.w)
    return Box(box.x, box.y, box.w, high), before, count, after


def _button(sheet: Sheet, moment: Moment, act: str, box: Box, word: Text) -> None:
    ink, fill = sheet.button(Target(act, box), focus=moment.focus == act)
    inner = box.inset(sheet.theme.sizes.pad // 2, sheet.theme.sizes.outline)
    role, lines = sheet.fit(moment.words(word), inner.w, 2, ("label", "body", "note"), True, inner.h)
    down = sheet.theme.colour.on_tint
    sheet.middle(inner, lines, role, ink, fill, bold=True, align="centre", target=act, down_colour=down)
