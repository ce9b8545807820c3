"""The strip below the work: hide or show amounts, page before, page after."""

from kiosk.domain.text import Text, say
from screens import acts
from screens.moment import Moment
from screens.picture import Target
from screens.sheet import Sheet
from screens.theme import Box


def strip(sheet: Sheet, moment: Moment, box: Box, pages: int, hide: bool) -> None:
    """Three equal places: hiding at the left, the page buttons at the right with the count between them."""
    sheet.pages = pages
    gap = sheet.theme.sizes.gap
    wide = (box.w - 2 * gap) // 3
    if hide:
        word = say("Hide amounts") if moment.amounts_shown else say("Show amounts")
        _button(sheet, moment, acts.HIDE, Box(box.x, box.y, wide, box.h), word)
    if pages < 2:
        return
    count_w = sheet.theme.type.body * 3
    narrow = wide if not hide else (box.w - wide - count_w - gap) // 2
    after = Box(box.right - narrow, box.y, narrow, box.h)
    before = Box(after.x - count_w - narrow if hide else box.x, box.y, narrow, box.h)
    between = Box(before.right, box.y, after.x - before.right, box.h)
    if moment.page > 0:
        _button(sheet, moment, acts.PREVIOUS, before, say("Previous page"))
    if moment.page < pages - 1:
        _button(sheet, moment, acts.NEXT, after, say("Next page"))
    colour = sheet.theme.colour
    count = f"{moment.page + 1}/{pages}"
    sheet.line(between, count, "body", colour.ink, colour.paper, bold=True, align="centre")


def _button(sheet: Sheet, moment: Moment, act: str, box: Box, word: Text) -> None:
    ink, fill = sheet.button(Target(act, box), focus=moment.focus == act)
    inner = box.inset(sheet.theme.sizes.pad // 2, sheet.theme.sizes.outline)
    role, lines = sheet.fit(moment.words(word), inner.w, 2, ("label", "body", "note"), True)
    down = sheet.theme.colour.on_tint
    sheet.middle(inner, lines, role, ink, fill, bold=True, align="centre", target=act, down_colour=down)
