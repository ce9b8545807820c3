"""Hide or show amounts, page before, page after: below the work on an upright glass, beside it on a wide one."""

from kiosk.domain.text import Text, say
from screens import acts
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
    """``pages`` of the body; those of the explanation before it are counted with them."""
    sheet.pages = pages + sheet.pages_before
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
    colour = sheet.theme.colour
    words = f"{page + 1}/{sheet.pages}"
    sheet.line(count, words, "body", colour.ink, colour.paper, bold=True, align=align)


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
    zone = sheet.theme.zones.question
    count = Box(box.x, zone.y, box.w, sheet.theme.line_h("question"))
    if marked(moment):
        top = top_of(sheet) + sheet.theme.sizes.mark
        count = Box(box.x, top, box.w, zone.bottom - top)
    return Box(box.x, box.y, box.w, high), before, count, after


def _button(sheet: Sheet, moment: Moment, act: str, box: Box, word: Text) -> None:
    ink, fill = sheet.button(Target(act, box), focus=moment.focus == act)
    inner = box.inset(sheet.theme.sizes.pad // 2, sheet.theme.sizes.outline)
    role, lines = sheet.fit(moment.words(word), inner.w, 2, ("label", "body", "note"), True, inner.h)
    down = sheet.theme.colour.on_tint
    sheet.middle(inner, lines, role, ink, fill, bold=True, align="centre", target=act, down_colour=down)
