"""Zone 2: the tone's shape, one question, and as much of the explanation as stands here whole."""

from dataclasses import replace

from kiosk.domain.text import Grouped, say
from kiosk.ports import Figures, Hands, Plain, Role, Tiles, Tone
from screens.moment import Moment
from screens.sheet import Sheet
from screens.theme import Box

Paragraph = tuple[str, ...]  # its lines
_MARKS = {Tone.DONE: "done", Tone.CAUTION: "caution", Tone.STOP: "stop", Tone.HANDS: "hand"}


def heading(sheet: Sheet, moment: Moment) -> int:
    """Draw shape and question; answers the y where the explanation begins."""
    theme, zone, top = sheet.theme, sheet.theme.zones.question, top_of(sheet)
    box = Box(zone.x, top, zone.w, zone.bottom - top)
    if marked(moment):
        box = _mark(sheet, moment.question.tone, box)
    elif not theme.portrait and (sheet.counted or isinstance(moment.question.body, Figures | Tiles)):
        box = replace(box, w=box.w - theme.type.label * 3)  # the page count stands there
    words = moment.words(moment.question.heading)
    role, lines = sheet.fit(words, box.w, 2, ("question", "label", "body"), True)
    y = sheet.block(box, lines, role, theme.colour.ink, theme.colour.paper, bold=True)
    return y + (theme.sizes.pad // 2 if theme.portrait else 0)


def top_of(sheet: Sheet) -> int:
    """Where shape and question begin."""
    theme = sheet.theme
    return theme.zones.question.y + (theme.sizes.pad if theme.portrait else theme.sizes.pad // 4)


def marked(moment: Moment) -> bool:
    """Whether a shape tells the tone. The hands panel is its own shape."""
    return moment.question.tone in _MARKS and not isinstance(moment.question.body, Hands)


def _mark(sheet: Sheet, tone: Tone, box: Box) -> Box:
    """The shape, above the heading on an upright glass, right of it on a wide one; answers the room for words."""
    colour, side, gap = sheet.theme.colour, sheet.theme.sizes.mark, sheet.theme.sizes.gap
    fill = {Tone.DONE: colour.done, Tone.STOP: colour.stop}.get(tone, colour.hands)
    ink = colour.on_tone if tone in (Tone.DONE, Tone.STOP) else colour.on_hands
    above = sheet.theme.portrait
    at = Box(box.x if above else box.right - side, box.y, side, side)
    sheet.drawing(at, _MARKS[tone], ink, fill)
    if above:
        return Box(box.x, box.y + side + gap // 2, box.w, box.h - side - gap // 2)
    return replace(box, w=box.w - side - gap)


def paragraphs(sheet: Sheet, moment: Moment, joined: int = 0, beside_strip: bool = False) -> list[Paragraph]:
    """The explanation, and the case code where there is one, in lines; the first ``joined`` alone, to save the ends of
    lines, as one paragraph. ``beside_strip``: so far down that page buttons stand beside it on a wide glass."""
    texts = [moment.words(text) for text in moment.question.explain]
    if moment.question.case_code:
        texts.append(moment.words(say("Number {code}", code=Grouped(moment.question.case_code, 4))))
    if joined:
        texts = [("" if moment.preferences.language == "zh" else " ").join(texts[:joined])]
    width = _width(sheet, moment, beside_strip)
    return [sheet.lines(words, width, sheet.prose, False) for words in texts]


def _width(sheet: Sheet, moment: Moment, beside_strip: bool) -> int:
    """On a wide glass the shape or the page buttons stand at the right of the words."""
    sizes, zone = sheet.theme.sizes, sheet.theme.zones.question
    if sheet.theme.portrait:
        return zone.w
    if marked(moment) and not beside_strip:
        return zone.w - sizes.mark - sizes.gap
    paged_body = isinstance(moment.question.body, Figures | Tiles)
    return zone.w - sizes.strip_w - sizes.gap if paged_body else zone.w


def only_words(moment: Moment) -> bool:
    """Whether the work zone holds nothing but the explanation."""
    listed = (Role.TILE, Role.ROW)
    return isinstance(moment.question.body, Plain) and not any(
        answer.role in listed for answer in moment.question.answers
    )


def flow(sheet: Sheet, parts: list[Paragraph], y: int) -> int:
    """Set paragraphs one below the other from ``y`` down; answers the y reached."""
    theme, role = sheet.theme, sheet.prose
    for part in parts:
        box = Box(theme.zones.question.x, y, theme.zones.question.w, 0)
        end = sheet.block(box, part, role, theme.colour.ink2, theme.colour.paper, lead=sheet.lead)
        y = end + _between(sheet)
    return y


def fits(sheet: Sheet, parts: list[Paragraph], y: int, bottom: int) -> bool:
    """Whether all of them stand between ``y`` and ``bottom``."""
    step = round(getattr(sheet.theme.type, sheet.prose) * sheet.lead)
    return y + sum(len(part) * step + _between(sheet) for part in parts) - _between(sheet) <= bottom


def paged(sheet: Sheet, parts: list[Paragraph], y: int, bottom: int) -> list[list[Paragraph]]:
    """Paragraphs on as many pages as they need."""
    pages: list[list[Paragraph]] = [[]]
    for part in parts:
        if pages[-1] and not fits(sheet, [*pages[-1], part], y, bottom):
            pages.append([])
        pages[-1].append(part)
    return pages


def _between(sheet: Sheet) -> int:
    return sheet.theme.sizes.pad // 2 if sheet.theme.portrait else 0
