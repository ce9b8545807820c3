"""Zone 2: the tone's shape, one question, and as much of the explanation as stands here whole."""

from dataclasses import replace

from kiosk.domain.text import Grouped, say
from kiosk.ports import Tone
from screens.moment import Moment
from screens.sheet import Sheet
from screens.theme import Box

Paragraph = tuple[str, ...]  # its lines
_MARKS = {Tone.DONE: "done", Tone.CAUTION: "caution", Tone.STOP: "stop", Tone.HANDS: "hand"}


def heading(sheet: Sheet, moment: Moment) -> int:
    """Draw shape and question; answers the y where the explanation begins."""
    theme, zone = sheet.theme, sheet.theme.zones.question
    top = zone.y + (theme.sizes.pad if theme.portrait else max(4, theme.sizes.pad // 4))
    box = Box(zone.x, top, zone.w, zone.bottom - top)
    if moment.question.tone in _MARKS:
        box = _mark(sheet, moment.question.tone, box)
    words = moment.words(moment.question.heading)
    role, lines = sheet.fit(words, box.w, 2, ("question", "label"), True)
    return sheet.block(box, lines, role, theme.colour.ink, theme.colour.paper, bold=True)


def _mark(sheet: Sheet, tone: Tone, box: Box) -> Box:
    """The shape right of the heading; answers the room that is left for words."""
    colour, side = sheet.theme.colour, sheet.theme.sizes.mark
    fill = {Tone.DONE: colour.done, Tone.STOP: colour.stop}.get(tone, colour.hands)
    ink = {Tone.DONE: colour.on_tone, Tone.STOP: colour.on_tone}.get(tone, colour.on_hands)
    at = Box(box.right - side, box.y, side, side)
    sheet.drawing(at, _MARKS[tone], ink, fill)
    return replace(box, w=box.w - side - sheet.theme.sizes.gap)


def paragraphs(sheet: Sheet, moment: Moment) -> list[Paragraph]:
    """The explanation, and the case code where there is one, broken into lines."""
    zone = sheet.theme.zones.question
    texts = [moment.words(text) for text in moment.question.explain]
    if moment.question.case_code:
        texts.append(moment.words(say("Number {code}", code=Grouped(moment.question.case_code, 4))))
    width = zone.w
    if moment.question.tone in _MARKS and not sheet.theme.portrait:
        width -= sheet.theme.sizes.mark + sheet.theme.sizes.gap
    return [sheet.lines(words, width, "body", False) for words in texts]


def flow(sheet: Sheet, parts: list[Paragraph], y: int, bottom: int) -> tuple[int, list[Paragraph]]:
    """Set paragraphs one below the other while they fit above ``bottom``; answers the y reached and the rest."""
    theme, step = sheet.theme, sheet.theme.line_h("body")
    for index, part in enumerate(parts):
        if y + len(part) * step > bottom:
            return y, parts[index:]
        box = Box(theme.zones.question.x, y, theme.zones.question.w, len(part) * step)
        y = sheet.block(box, part, "body", theme.colour.ink2, theme.colour.paper)
        y += theme.sizes.pad // 3
    return y, []
