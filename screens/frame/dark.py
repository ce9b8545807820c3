"""Nothing of the page: one sentence for who stands beside, and one button that brings the page back."""

from kiosk.domain.text import say
from screens import acts
from screens.moment import Moment
from screens.picture import Target
from screens.sheet import Sheet
from screens.theme import Box


def dark(sheet: Sheet, moment: Moment) -> None:
    """Zone by zone as everywhere, so that the button stands where the main answer is."""
    theme = sheet.theme
    colour, zone = theme.colour, theme.zones.question
    words = moment.words(say("The screen is dark. Somebody listens by headset."))
    role, lines = sheet.fit(words, zone.w, 3, ("label", "body"), True)
    top = Box(zone.x, zone.y + theme.sizes.pad, zone.w, zone.h)
    sheet.block(top, lines, role, colour.ink, colour.paper, bold=True)
    act, high = theme.zones.act, theme.sizes.button[1]
    target = Target(acts.DARK, Box(act.x, act.y + (act.h - high) // 2, act.w, high), main=True)
    ink, fill = sheet.button(target, main=True, focus=moment.focus == acts.DARK)
    label, down = (moment.words(say("Show the screen")),), colour.on_action_down
    sheet.middle(target.box, label, "label", ink, fill, bold=True, align="centre", target=acts.DARK, down_colour=down)
