"""From a moment to its picture: zones are filled in order, each by its own view."""

from kiosk.ports import Answer, Figures, Hands, Role, Stars, Waiting
from screens.figures import view as figures
from screens.frame.act import act, standing
from screens.frame.care import care
from screens.frame.header import Sign, header
from screens.frame.heading import flow, heading, paragraphs
from screens.frame.warning import warning
from screens.hands import view as hands
from screens.moment import Moment
from screens.picture import Picture
from screens.plain import view as plain
from screens.sheet import Sheet
from screens.stars import view as stars
from screens.theme import Box, Theme
from screens.waiting import view as waiting


def compose(moment: Moment, theme: Theme, sign: Sign) -> Picture:
    """The picture of this moment. Pure: the same arguments give the same picture."""
    sheet = Sheet(theme)
    header(sheet, sign, moment)
    if moment.seconds_left is not None:
        warning(sheet, moment)
    else:
        _question(sheet, moment, sign)
    care(sheet, moment)
    return sheet.picture()


def numbered(answers: tuple[Answer, ...]) -> list[Answer]:
    """The answers of the work zone: tiles, rows, and a second answer that found no place in the act zone."""
    in_act = standing(answers)
    listed = [answer for answer in answers if answer.role in (Role.TILE, Role.ROW)]
    return listed + [answer for answer in answers if answer.role is Role.SECOND and answer not in in_act]


def _question(sheet: Sheet, moment: Moment, sign: Sign) -> None:
    zones, gap = sheet.theme.zones, sheet.theme.sizes.gap
    y = heading(sheet, moment)
    parts = paragraphs(sheet, moment)
    answers = numbered(moment.question.answers)
    work_only_words = not answers and type(moment.question.body).__name__ == "Plain"
    bottom = zones.work.bottom if work_only_words else zones.question.bottom
    y, rest = flow(sheet, parts, y, bottom)
    if rest:
        y, rest = flow(sheet, rest, y, zones.work.bottom)
    top = max(zones.work.y, y + (gap // 2 if y > zones.question.bottom else 0))
    _work(sheet, moment, answers, Box(zones.work.x, top, zones.work.w, zones.work.bottom - top), sign)
    act(sheet, moment, second_key=len(answers) + 1)


def _work(sheet: Sheet, moment: Moment, answers: list[Answer], box: Box, sign: Sign) -> None:
    match moment.question.body:
        case Figures():
            figures.draw(sheet, moment, answers, box)
        case Stars():
            stars.draw(sheet, moment, answers, box)
        case Waiting():
            waiting.draw(sheet, moment, answers, box)
        case Hands():
            hands.draw(sheet, moment, answers, box, sign.terminal.profile)
        case _:
            plain.draw(sheet, moment, answers, box)
