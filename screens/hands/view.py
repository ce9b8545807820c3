"""A picture of this terminal's front, the part to use lit, an arrow on it. Filled amber: your hands do the next step."""

from kiosk.ports import Answer, Hands, Place
from screens.hands.fronts import FRONTS, Front, Part
from screens.moment import Moment
from screens.sheet import Sheet
from screens.theme import Box
from screens.tiles import view as tiles

ARROW_STEPS = 6  # three moves there and back, half a second each, then it stands
STEP_S = 0.5
_THINGS = {
    Place.CARD_SLOT: "card_chip_up",
    Place.PIN_PAD: "keypad",
    Place.RECEIPT_OUTLET: "receipt",
    Place.PAGE_OUTLET: "sheet",
}


def draw(sheet: Sheet, moment: Moment, answers: list[Answer], box: Box, profile: str) -> None:
    body = moment.question.body
    assert isinstance(body, Hands)
    if answers:
        foot = tiles.rows_height(sheet, len(answers))
        below = Box(box.x, box.bottom - foot + sheet.theme.sizes.gap, box.w, foot - sheet.theme.sizes.gap)
        tiles.draw(sheet, moment, answers, below)
        box = Box(box.x, box.y, box.w, box.h - foot)
    colour, sizes = sheet.theme.colour, sheet.theme.sizes
    front = FRONTS.get(profile, FRONTS["hall"])
    wide = min(box.w, (box.h - 2 * sizes.pad) * front.aspect // 1000 + 2 * sizes.pad)
    panel = box.centred(box.w, min(box.h, (box.w - 2 * sizes.pad) * 1000 // front.aspect + 2 * sizes.pad))
    sheet.panel(panel, colour.hands, colour.ink if colour.hands != colour.ink else colour.line, sizes.outline)
    inner = panel.inset(sizes.pad)
    wide = min(inner.w, inner.h * front.aspect // 1000)
    _front(sheet, front, inner.centred(wide, wide * 1000 // front.aspect), body.places, moment.step % 2)


def _front(sheet: Sheet, front: Front, box: Box, places: tuple[Place, ...], moved: int) -> None:
    """Body of the machine, its parts in grey, the named ones lit, each with its thing and an arrow."""
    sizes = sheet.theme.sizes
    sheet.panel(box, "#FFFFFF", "#13212B", sizes.outline)
    sheet.panel(_in(box, front.glass), "#0F4C6B", "#13212B", sizes.outline, radius=sizes.radius // 2)
    for place, part in front.parts.items():
        at = _in(box, part)
        lit = place in places
        fill = "#FFC247" if lit else "#E6ECEB"
        sheet.panel(at, fill, "#13212B" if lit else "#5C6A75", sizes.outline * (2 if lit else 1), radius=8)
        _fixture(sheet, place, at)
        if lit:
            _sign(sheet, place, at, box, moved)


def _fixture(sheet: Sheet, place: Place, at: Box) -> None:
    """What makes the part recognisable: a slit, or the keys."""
    if place is Place.PIN_PAD:
        side = min(at.w, at.h) * 8 // 10
        sheet.drawing(at.centred(side, side), "keys", "#13212B", "#FFFFFF")
    else:
        sheet.panel(at.centred(at.w * 8 // 10, max(4, at.h // 7)), "#13212B", radius=2)


def _sign(sheet: Sheet, place: Place, at: Box, box: Box, moved: int) -> None:
    """The thing that goes in or comes out, and the arrow that moves by a third of itself."""
    side = max(36, min(box.h // 4, box.bottom - at.bottom - 8) if place is not Place.PIN_PAD else at.h * 2 // 5)
    shift = moved * side // 6
    if place is Place.PIN_PAD:
        sheet.drawing(Box(at.right + 12 + shift, at.y + at.h // 2 - side // 2, side, side), "arrow_left", "#13212B")
        return
    arrow = "arrow_up" if place is Place.CARD_SLOT else "arrow_down"
    left = at.x + (at.w - 2 * side - 8) // 2
    thing = Box(left, at.bottom + 4, side, side)
    sheet.drawing(thing, _THINGS[place], "#13212B", "#FFC247")
    sheet.drawing(Box(left + side + 8, at.bottom + 4 + shift, side, side), arrow, "#13212B")


def _in(box: Box, part: Part) -> Box:
    return Box(
        box.x + box.w * part.x // 1000,
        box.y + box.h * part.y // 1000,
        box.w * part.w // 1000,
        box.h * part.h // 1000,
    )
