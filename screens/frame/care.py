"""Zone 5: help, large type, speech, contrast, language; always there, always the same."""

from kiosk.domain.text import say
from screens import acts
from screens.moment import Moment
from screens.picture import Target
from screens.sheet import Sheet
from screens.theme import Box

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
    for index, (act, icon, word) in enumerate(_BAR):
        box = Box(sizes.margin + index * step, zone.y + (zone.h - high) // 2, wide, high)
        _care_button(sheet, moment, Target(act, box), icon, moment.words(word))


def _care_button(sheet: Sheet, moment: Moment, target: Target, icon: str, word: str) -> None:
    chosen = _on(moment, target.act)
    ink, fill = sheet.button(target, chosen=chosen, focus=moment.focus == target.act)
    box = target.box.inset(sheet.theme.sizes.outline * 2)
    role, lines = sheet.fit(word, box.w, 1, ("body", "note"), False)
    high = sheet.theme.line_h("label") if role == "body" else round(sheet.theme.type.note * 1.2)
    side = min(sheet.theme.sizes.icon * 2 // 3, box.h - high)
    top = box.y + (box.h - high - side) // 2
    accent = fill if chosen else sheet.theme.colour.tint
    down = sheet.theme.colour.paper if chosen else sheet.theme.colour.on_tint
    sheet.drawing(Box(box.x + (box.w - side) // 2, top, side, side), icon, ink, accent, target.act, down)
    row = Box(box.x, top + side, box.w, high)
    sheet.line(row, lines[0], role, ink, fill, align="centre", target=target.act, down_colour=down)


def _on(moment: Moment, act: str) -> bool:
    wish = moment.preferences
    return {acts.LARGE: wish.large, acts.SPEAK: wish.spoken, acts.CONTRAST: wish.contrast}.get(act, False)
