"""Nothing in the work zone but the rest of the explanation and, at its foot, numbered answers."""

from kiosk.ports import Answer
from screens.moment import Moment
from screens.sheet import Sheet
from screens.theme import Box
from screens.tiles import view as tiles


def draw(sheet: Sheet, moment: Moment, answers: list[Answer], box: Box) -> None:
    if answers:
        tiles.draw(sheet, moment, answers, box)
