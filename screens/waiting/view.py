"""Waiting: nothing for 0.3 s, then dots, after 3 s what is being done, after 15 s that it takes longer."""

from kiosk.domain.text import say
from kiosk.ports import Answer, Waiting
from screens.moment import Moment
from screens.sheet import Sheet
from screens.theme import LEADS, Box
from screens.tiles import view as tiles

STAGES_S = (0.3, 3.0, 15.0)
STEP_S = 0.5


def draw(sheet: Sheet, moment: Moment, answers: list[Answer], box: Box) -> None:
    body = moment.question.body
    assert isinstance(body, Waiting)
    box = tiles.at_foot(sheet, moment, answers, box)
    sentences = []
    if moment.waited >= 2:
        sentences.append(moment.words(body.doing))
    if moment.waited >= 3:
        sentences.append(moment.words(say("It takes a little longer")))
    if moment.waited >= 1:
        _dots(sheet, moment.step % 3, box)
    _sentences(sheet, sentences, box)


def _dots(sheet: Sheet, lit: int, box: Box) -> None:
    """In the upper half, and the same place whatever is said below, so that they do not jump."""
    side = sheet.theme.sizes.icon // 2
    step = side * 2
    left = box.x + (box.w - 2 * step - side) // 2
    y = box.y + box.h // 4 - side // 2
    for index in range(3):
        name = "digit_typed" if index == lit else "digit_open"
        at = Box(left + index * step, y, side, side)
        sheet.drawing(at, name, sheet.theme.colour.ink, sheet.theme.colour.paper)


def _sentences(sheet: Sheet, sentences: list[str], box: Box) -> None:
    colour = sheet.theme.colour
    y = box.y + box.h // 4 + sheet.theme.sizes.icon * 3 // 4
    role = "label" if sheet.theme.portrait else "body"
    broken = [sheet.lines(words, box.w, role, False) for words in sentences]
    room = (box.bottom - y) / max(1, sum(map(len, broken)))
    lead = min(LEADS["body"], room / getattr(sheet.theme.type, role))
    for lines in broken:
        at = Box(box.x, y, box.w, 0)
        y = sheet.block(at, lines, role, colour.ink2, colour.paper, align="centre", lead=lead)
