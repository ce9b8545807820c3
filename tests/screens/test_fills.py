"""How panels are filled: every place once, edges exact, and in an order that shows nothing wrong."""

from itertools import combinations

import pytest

from screens.compose import compose
from screens.fills import ROUND_FROM_PX, indices, vertices
from screens.layers import layers
from screens.picture import Item, Panel, Picture, Words
from screens.theme import Box
from screens.typeface import overhang
from tests.screens.poses import POSES, SIGN, Pose, questions
from tests.screens.studio import photograph

BOX, HIGH = Box(10, 20, 90, 60), 120
GROUND, FILL, LINE = "#000000", "#3366CC", "#FFCC00"
_FLOATS = 6
_SHAPES = ((0, 0), (0, 3), (20, 0), (20, 3), (20, 7))


def covered(radius: int, outline_px: int) -> float:
    """The area of all triangles together, in px."""
    corners = vertices(BOX, HIGH, radius, FILL, LINE, outline_px)
    points = [(corners[at], corners[at + 1]) for at in range(0, len(corners), _FLOATS)]
    order = indices(radius >= ROUND_FROM_PX, outline_px > 0)
    total = 0.0
    for at in range(0, len(order), 3):
        (ax, ay), (bx, by), (cx, cy) = (points[number] for number in order[at : at + 3])
        total += abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2
    return total


@pytest.mark.parametrize("outline_px", [0, 3, 7])
def test_a_round_panel_fills_no_place_twice(outline_px: int) -> None:
    """The triangles of a round panel have the area of the panel and half a pixel around it, whatever its outline."""
    radius, grown = 20.5, (BOX.w + 1) * (BOX.h + 1)
    missing = radius * radius * (4 - 3.1416)
    assert covered(20, outline_px) == pytest.approx(grown - missing, rel=0.005)


@pytest.mark.parametrize(("radius", "outline_px"), _SHAPES)
def test_straight_edges_are_exact(radius: int, outline_px: int) -> None:
    """Beside a straight edge the last pixel inside has the outline's whole colour, and the first outside none of it."""
    outline = LINE if outline_px else ""
    picture = Picture(GROUND, (Panel(BOX, FILL, outline, outline_px, radius),), ())
    image = photograph(picture, 120, HIGH)
    middle_x, middle_y = BOX.x + BOX.w // 2, BOX.y + BOX.h // 2
    edge = (0xFF, 0xCC, 0) if outline_px else (0x33, 0x66, 0xCC)
    for inside, outside in (
        ((BOX.x, middle_y), (BOX.x - 1, middle_y)),
        ((BOX.right - 1, middle_y), (BOX.right, middle_y)),
    ):
        assert image.getpixel(inside) == edge
        assert image.getpixel(outside) == (0, 0, 0)
    assert image.getpixel((BOX.x + outline_px, middle_y)) == (0x33, 0x66, 0xCC)
    assert image.getpixel((middle_x, middle_y)) == (0x33, 0x66, 0xCC)


def reach(item: Item) -> Box:
    return item.box.inset(-overhang(item.size)) if isinstance(item, Words) else item.box


@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.name)
def test_layers_keep_what_covers_what(pose: Pose) -> None:
    """Of two items that touch, the later one is also drawn later, on every page of the house."""
    theme = pose.theme()
    for question in questions().values():
        items = compose(pose.moment(question), theme, SIGN).items
        drawn: list[Item] = [item for layer in layers(items) for item in (*layer.panels, *layer.written)]
        place = {id(item): number for number, item in enumerate(drawn)}
        assert len(drawn) == len(items)
        for below, above in combinations(items, 2):
            if isinstance(below, Panel) or isinstance(above, Panel):
                assert place[id(below)] < place[id(above)] or not reach(below).overlaps(reach(above))
