"""Zone 5: help, large type, speech, contrast, language; always there, always the same."""

from kiosk.domain.text import say
from screens import acts
from screens.moment import Moment
from screens.picture import Target
from screens.sheet import Sheet
from screens.theme import Box
from screens.typeface import measure

_BAR = (
    (acts.HELP, "person", say("Help")),
    (acts.LARGE, "letters", say("Large")),
    (acts.SPEAK, "speaker", say("Speak")),
    (acts.CONTRAST, "contrast", say("Contrast")),
    (acts.LANGUAGE, "languages", say("中/EN")),
)


def care(sheet: Sheet, moment: Moment) -> None:
    zone, sizes, colour = sheet.theme.zones.care, sheet.theme.sizes, sheet.theme.colour
    sheet.panel(zone, colour.sunken, radius=0)
    wide, high = sizes.care
    free = zone.w - 2 * sizes.margin - len(_BAR) * wide
    step = wide + free // (len(_BAR) - 1)
    words = [moment.words(word) for _, _, word in _BAR]
    inner = wide - 4 * sizes.outline
    role = "body" if all(measure(word, sheet.theme.type.body, False) <= inner for word in words) else "note"
    for index, (act, icon, _) in enumerate(_BAR):
        box = Box(sizes.margin + index * step, zone.y + (zone.h - high) // 2, wide, high)
        _care_button(sheet, moment, Target(act, box), icon, words[index], role)


def _care_button(sheet: Sheet, moment: Moment, target: Target, icon: str, word: str, role: str) -> None:
    chosen = _on(moment, target.act)
    ink, fill = sheet.button(target, chosen=chosen, focus=moment.focus == target.act)
    box = target.box.inset(sheet.theme.sizes.outline * 2)
    at, row = _upright(sheet, box, role) if sheet.theme.portrait else _beside(sheet, box, word, role)
    colour = sheet.theme.colour
    down = colour.paper if chosen else colour.on_tint
    if at.w:
        sheet.drawing(at, icon, ink, fill if chosen else colour.tint, target.act, down)
    sheet.line(row, word, role, ink, fill, align="centre", target=target.act, down_colour=down)


def _upright(sheet: Sheet, box: Box, role: str) -> tuple[Box, Box]:
    """Icon above the word."""
    high = round(getattr(sheet.theme.type, role) * 1.3)
    side = sheet.theme.sizes.icon * 2 // 3
    top = box.y + (box.h - high - side) // 2
    return Box(box.x + (box.w - side) // 2, top, side, side), Box(box.x, top + side, box.w, high)


def _beside(sheet: Sheet, box: Box, word: str, role: str) -> tuple[Box, Box]:
    """Icon left of the word; where there is no room for both, the word alone."""
    side, em = sheet.theme.sizes.icon * 5 // 8, getattr(sheet.theme.type, role)
    wide = int(measure(word, em, False)) + 1
    if wide + side + 6 > box.w:
        return Box(0, 0, 0, 0), box
    left = box.x + (box.w - wide - side - 6) // 2
    return Box(left, box.y + (box.h - side) // 2, side, side), Box(left + side + 6, box.y, wide, box.h)


def _on(moment: Moment, act: str) -> bool:
    wish = moment.preferences
    return {acts.LARGE: wish.large, acts.SPEAK: wish.spoken, acts.CONTRAST: wish.contrast}.get(act, False)
