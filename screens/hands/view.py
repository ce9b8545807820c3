"""This terminal's front, the part to use lit, the thing and its arrow beside. Amber: your hands do the next step."""

from kiosk.ports import Answer, Hands, Place
from screens.hands.fronts import FRONTS, Front, Part
from screens.moment import Moment
from screens.sheet import Sheet
from screens.theme import Box
from screens.tiles import view as tiles

ARROW_STEPS = 6  # three moves there and back, half a second each, then it stands
STEP_S = 0.5
# The picture is of a machine, whose colours do not change with the palette of the screen.
INK, WHITE, GLASS, AMBER, GREY, LINE = "#13212B", "#FFFFFF", "#0F4C6B", "#FFC247", "#E6ECEB", "#5C6A75"
TILE = "#DCEAF1"
_THINGS = {
    Place.CARD_SLOT: "card_chip_up",
    Place.PIN_PAD: "keypad",
    Place.NOTE_SLOT: "note",
    Place.NOTE_OUTLET: "note",
    Place.RECEIPT_OUTLET: "receipt",
    Place.PAGE_OUTLET: "sheet",
}


def draw(sheet: Sheet, moment: Moment, answers: list[Answer], box: Box, profile: str) -> None:
    body = moment.question.body
    assert isinstance(body, Hands)
    box = tiles.at_foot(sheet, moment, answers, box)
    colour, sizes = sheet.theme.colour, sheet.theme.sizes
    sheet.panel(box, colour.hands, INK, sizes.outline)
    front = FRONTS.get(profile, FRONTS["hall"])
    inner = box.inset(sizes.pad)
    at, signs = _split(front, inner, len(body.places), sizes.gap)
    _front(sheet, front, at, body.places)
    _signs(sheet, body, signs, moment.step % 2)


def _split(front: Front, box: Box, signs: int, gap: int) -> tuple[Box, Box]:
    """Room for the front, and beside or below it for the large signs, whichever draws the front larger."""
    sign = min(box.h, box.w // 5)
    beside = _inside(front, Box(box.x, box.y, box.w - gap - signs * sign * 3 // 2, box.h))
    below = _inside(front, Box(box.x, box.y, box.w, box.h - gap - box.h // 4))
    below = Box(box.x + (box.w - below.w) // 2, below.y, below.w, below.h)
    if beside.w > below.w:
        left = beside.right + gap
        return beside, Box(left, box.y, box.right - left, box.h)
    top = below.bottom + gap
    return below, Box(box.x, top, box.w, box.bottom - top)


def _inside(front: Front, box: Box) -> Box:
    """The largest front at the upper left of ``box``."""
    wide = max(1, min(box.w, box.h * front.aspect // 1000))
    return Box(box.x, box.y, wide, wide * 1000 // front.aspect)


def _front(sheet: Sheet, front: Front, box: Box, places: tuple[Place, ...]) -> None:
    """Body of the machine, its parts in grey, the named ones lit and ringed."""
    px = sheet.theme.sizes.outline
    ring = min(2 * px, box.h * 3 // 100)  # two outlets that are lit at once stay apart on a small picture, too
    sheet.panel(box, WHITE, INK, px)
    _glass(sheet, _in(box, front.glass))
    for place, part in front.parts.items():
        at = _in(box, part)
        lit = place in places
        if lit:
            sheet.panel(at.inset(-ring), INK, radius=12)
        sheet.panel(at, AMBER if lit else GREY, INK if lit else LINE, px, radius=8)
        _fixture(sheet, place, at)


def _glass(sheet: Sheet, at: Box) -> None:
    """The screen itself, with four tiles, so that people know where they stand."""
    sheet.panel(at, GLASS, INK, sheet.theme.sizes.outline, radius=8)
    wide, high = at.w * 34 // 100, at.h * 24 // 100
    for index in range(4):
        x = at.x + at.w * (12 + 42 * (index % 2)) // 100
        y = at.y + at.h * (20 + 34 * (index // 2)) // 100
        sheet.panel(Box(x, y, wide, high), TILE, radius=6)


def _fixture(sheet: Sheet, place: Place, at: Box) -> None:
    """What makes the part recognisable: a slit, or the keys."""
    if place is Place.PIN_PAD:
        side = min(at.w, at.h) * 8 // 10
        sheet.drawing(at.centred(side, side), "keys", INK, WHITE)
    else:
        sheet.panel(at.centred(at.w * 8 // 10, max(4, at.h // 6)), INK, radius=2)


def _signs(sheet: Sheet, body: Hands, box: Box, moved: int) -> None:
    """For each place the thing and an arrow, which moves by a sixth of itself."""
    each = box.w // len(body.places)
    for index, place in enumerate(body.places):
        room = Box(box.x + index * each, box.y, each, box.h)
        side = min(room.h * 6 // 7, room.w * 2 // 5)
        pair = room.centred(side * 2 + side // 4, side)
        going_in = place in (Place.CARD_SLOT, Place.NOTE_SLOT) and not body.taking
        shift = moved * side // 7 * (-1 if going_in else 1)
        sheet.drawing(Box(pair.x, pair.y, side, side), _THINGS[place], INK, WHITE)
        arrow = Box(pair.right - side, pair.y + shift, side, side)
        sheet.drawing(arrow, "arrow_up" if going_in else "arrow_down", INK)


def _in(box: Box, part: Part) -> Box:
    return Box(
        box.x + box.w * part.x // 1000,
        box.y + box.h * part.y // 1000,
        box.w * part.w // 1000,
        box.h * part.h // 1000,
    )
