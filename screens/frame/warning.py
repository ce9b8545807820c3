"""Laid over zones 2 to 4 when nobody has touched anything for long: one sentence, one big button."""

from kiosk.domain.text import say
from screens import acts
from screens.moment import Moment
from screens.picture import Target
from screens.sheet import Sheet
from screens.theme import Box


def warning(sheet: Sheet, moment: Moment) -> None:
    theme = sheet.theme
    colour, zone = theme.colour, theme.zones.question
    box = Box(zone.x, zone.y + theme.sizes.pad, zone.w - theme.sizes.mark - theme.sizes.gap, zone.h)
    side = theme.sizes.mark
    sheet.drawing(Box(zone.right - side, box.y, side, side), "caution", colour.on_hands, colour.hands)
    role, lines = sheet.fit(moment.words(say("Are you still there?")), box.w, 2, ("question", "label"), True)
    y = sheet.block(box, lines, role, colour.ink, colour.paper, bold=True)
    sentence = say("This page closes in {seconds} seconds. Touch here for more time.", seconds=moment.seconds_left or 0)
    beside = box.w if y + theme.sizes.pad < box.y + side else zone.w
    broken = sheet.lines(moment.words(sentence), beside, "body", False)
    sheet.block(Box(zone.x, y + theme.sizes.pad, beside, 0), broken, "body", colour.ink2, colour.paper)
    _stay(sheet, moment)


def _stay(sheet: Sheet, moment: Moment) -> None:
    zone = sheet.theme.zones.act
    high = sheet.theme.sizes.button[1]
    target = Target(acts.STAY, Box(zone.x, zone.y + (zone.h - high) // 2, zone.w, high), main=True)
    ink, fill = sheet.button(target, main=True)
    down = sheet.theme.colour.on_action_down
    lines = (moment.words(say("I am still here")),)
    sheet.middle(target.box, lines, "label", ink, fill, bold=True, align="centre", target=acts.STAY, down_colour=down)
