"""The shape of a filled panel as triangles, with a colour at each of their corners. No Kivy.

A panel is a fill, perhaps an outline around it, and an edge that fades over one pixel, half of it on either side of the
true edge: exact on straight sides, which lie between pixels, and smooth on round corners. Nothing is filled twice and
no texture is read, which on a machine without a GPU is three quarters of what panels cost: 2 ms a menu instead of 10.
"""

from functools import lru_cache
from itertools import pairwise
from math import cos, pi, sin

from screens.palette import rgb
from screens.theme import Box

SEGMENTS = 7  # of a round corner: 29 px, the largest radius, is missed by a sixth of a pixel
ROUND_FROM_PX = 2  # a smaller radius is a square corner
_FADE_PX = 0.5
Colour = tuple[float, float, float, float]
Point = tuple[float, float]


def vertices(box: Box, height: int, radius: int, fill: str, outline: str, outline_px: int) -> list[float]:
    """x, y, red, green, blue, alpha of each corner; ``y`` counts from below a glass that is ``height`` px high.

    Rings of equally many points each, the innermost first; ``indices`` tells how they hang together.
    """
    inner = (*rgb(fill), 1.0)
    edge = (*rgb(outline), 1.0) if outline_px else inner
    if radius < ROUND_FROM_PX:
        outer = _ring(box, height, 0, 0.0, edge) if outline_px else []
        return [*outer, *_ring(box, height, 0, outline_px, inner)]
    rings: list[tuple[float, Colour]] = [(outline_px + _FADE_PX, inner)]
    if outline_px:
        rings += [(outline_px - _FADE_PX, edge), (_FADE_PX, edge)]
    rings.append((-_FADE_PX, (*edge[:3], 0.0)))
    return [part for inset, colour in rings for part in _ring(box, height, radius, inset, colour)]


@lru_cache(maxsize=4)
def indices(round_corners: bool, outlined: bool) -> list[int]:
    """Which three corners make a triangle, in turn."""
    if not round_corners:
        return [first + step for first in ((0, 4) if outlined else (0,)) for step in (0, 1, 2, 0, 2, 3)]
    points = 4 * (SEGMENTS + 1)
    found = _inside()
    for ring in range(3 if outlined else 1):
        for here in range(points):
            one, other = ring * points + here, ring * points + (here + 1) % points
            found += [one, other, one + points, other, other + points, one + points]
    return found


def _inside() -> list[int]:
    """What the innermost ring encloses: the octagon between its corners, and a fan in each corner."""
    starts = [corner * (SEGMENTS + 1) for corner in range(4)]
    octagon = [at for start in starts for at in (start, start + SEGMENTS)]
    found: list[int] = []
    for one, other in pairwise(octagon[1:]):
        found += [octagon[0], one, other]
    for start in starts:
        for at in range(start + 1, start + SEGMENTS):
            found += [start, at, at + 1]
    return found


def _ring(box: Box, height: int, radius: int, inset: float, colour: Colour) -> list[float]:
    """The points of a contour ``inset`` px inside the panel's edge, counter-clockwise from the lower right corner."""
    away, bend = max(radius, inset), max(radius - inset, 0.0)
    left, right = box.x + away, box.right - away
    low, high = height - box.bottom + away, height - box.y - away
    found: list[float] = []
    for (x, y), arc in zip(((right, low), (right, high), (left, high), (left, low)), _ARCS, strict=True):
        for across, up in arc if radius else arc[:1]:
            found += (x + bend * across, y + bend * up, *colour)
    return found


def _arc(quarter: int) -> tuple[Point, ...]:
    angles = [(quarter + step / SEGMENTS) * pi / 2 for step in range(SEGMENTS + 1)]
    return tuple((cos(angle), sin(angle)) for angle in angles)


_ARCS = tuple(_arc(quarter) for quarter in (3, 0, 1, 2))
