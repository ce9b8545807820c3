"""PIN entry: stars in the middle of the work zone, where a queue cannot look over the shoulder."""

from kiosk.domain.card import PinProgress, PinPrompt
from kiosk.domain.text import Text, say
from kiosk.ports import Answer, Stars
from screens.moment import Moment
from screens.sheet import Sheet
from screens.theme import Box
from screens.tiles import view as tiles

PROMPTS: dict[PinPrompt, Text] = {
    PinPrompt.CURRENT: say("Your present PIN"),
    PinPrompt.NEW: say("The new PIN"),
    PinPrompt.REPEAT: say("The new PIN again"),
}


def draw(sheet: Sheet, moment: Moment, answers: list[Answer], box: Box) -> None:
    body = moment.question.body
    assert isinstance(body, Stars)
    box = tiles.at_foot(sheet, moment, answers, box)
    progress = moment.progress or PinProgress(PinPrompt.CURRENT, 0)
    _field(sheet, moment, body, progress, box)


def height(sheet: Sheet) -> int:
    """The least height of the field: prompt, one row of rings, air."""
    return sheet.theme.line_h("label") + sheet.theme.type.figure + 2 * sheet.theme.sizes.pad


def _field(sheet: Sheet, moment: Moment, body: Stars, progress: PinProgress, box: Box) -> None:
    """A card with the prompt, one ring a digit, the typed ones filled."""
    theme, colour = sheet.theme, sheet.theme.colour
    label_h = theme.line_h("label")
    side = min(theme.type.figure, (box.w - 4 * theme.sizes.pad) // (body.digits_max * 3 // 2))
    high = min(box.h, label_h + side + 4 * theme.sizes.pad)
    card = box.centred(box.w, high)
    sheet.panel(card, colour.surface, colour.line, theme.sizes.outline)
    words = moment.words(PROMPTS[progress.prompt])
    top = card.y + (high - label_h - side - theme.sizes.pad) // 2
    row = Box(card.x, top, card.w, label_h)
    sheet.line(row, words, "label", colour.ink, colour.surface, bold=True, align="centre")
    count = max(body.digits_max, progress.digits)
    step = side * 3 // 2
    left = card.x + (card.w - count * step + step - side) // 2
    for index in range(count):
        at = Box(left + index * step, top + label_h + theme.sizes.pad, side, side)
        name = "digit_typed" if index < progress.digits else "digit_open"
        sheet.drawing(at, name, colour.ink, colour.surface)
