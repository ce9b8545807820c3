# ruff: noqa: E501 (an icon a line reads like the drawing it is)
"""Icons as strokes on a 24-unit grid: things, not metaphors. Stroke 2, round ends, at most one filled part.

A shape is a tuple: its kind, then numbers in grid units.
``("line", x, y, x, y, ...)`` a stroked path; ``("loop", ...)`` a closed one; ``("part", ...)`` the filled polygon;
``("ring", x, y, r)`` a stroked circle; ``("disc", x, y, r)`` a filled circle; ``("box", x, y, w, h, r)`` a stroked
rounded rectangle; ``("slab", x, y, w, h, r)`` a filled one; ``("dot", x, y, r)`` a circle of ink; ``("half", x, y, r)``
the right half of a disc in ink.
"""

import math

Shape = tuple[str | float, ...]


def _octagon(middle: float, radius: float) -> tuple[float, ...]:
    corners: list[float] = []
    for index in range(8):
        angle = math.pi / 8 + index * math.pi / 4
        corners += [middle + radius * math.cos(angle), middle + radius * math.sin(angle)]
    return tuple(corners)


def _keys(left: float, top: float, step: float) -> tuple[Shape, ...]:
    return tuple(("dot", left + column * step, top + row * step, 1.2) for row in range(3) for column in range(3))


ICONS: dict[str, tuple[Shape, ...]] = {
    "card": (("box", 2, 5, 20, 14, 2), ("slab", 5, 9, 5, 4, 1), ("line", 5, 16, 12, 16)),
    "card_chip_up": (("slab", 4, 2, 16, 20, 2), ("box", 4, 2, 16, 20, 2), ("box", 9, 5, 6, 5, 1), ("line", 8, 17, 16, 17)),
    "keypad": (("box", 4, 2, 16, 20, 2), *_keys(8, 7, 4), ("line", 8, 19, 16, 19)),
    "keys": _keys(4, 4, 8),
    "note": (("box", 2, 6, 20, 12, 1), ("disc", 12, 12, 3), ("dot", 5.5, 12, 1), ("dot", 18.5, 12, 1)),
    "receipt": (("loop", 6, 2, 18, 2, 18, 22, 15, 20, 12, 22, 9, 20, 6, 22), ("line", 9, 7, 15, 7), ("line", 9, 12, 15, 12)),
    "sheet": (("loop", 5, 2, 15, 2, 19, 6, 19, 22, 5, 22), ("line", 9, 11, 15, 11), ("line", 9, 15, 13, 15)),
    "certificate": (
        ("loop", 4, 2, 20, 2, 20, 16, 20, 22, 4, 22), ("line", 8, 7, 16, 7), ("line", 8, 11, 16, 11), ("disc", 15, 17, 3),
    ),
    "account": (
        ("box", 3, 3, 18, 18, 2), ("line", 8, 8, 12, 12.5, 16, 8), ("line", 12, 12.5, 12, 18), ("line", 8.5, 13, 15.5, 13),
        ("line", 8.5, 16, 15.5, 16),
    ),
    "pin": (("box", 2, 6, 20, 12, 2), ("dot", 7, 12, 1.6), ("dot", 12, 12, 1.6), ("dot", 17, 12, 1.6)),
    "bed": (
        ("line", 2, 5, 2, 20), ("line", 2, 16, 22, 16, 22, 20), ("slab", 9, 9, 12, 4, 2), ("ring", 5.5, 11, 2),
    ),
    "person": (("disc", 12, 7, 4), ("ring", 12, 7, 4), ("line", 4, 21, 4, 19, 8, 15, 16, 15, 20, 19, 20, 21), ("line", 2, 21, 22, 21)),
    "list": (("line", 9, 6, 21, 6), ("line", 9, 12, 21, 12), ("line", 9, 18, 21, 18), ("dot", 4, 6, 1.5), ("dot", 4, 12, 1.5), ("dot", 4, 18, 1.5)),
    "calendar": (("box", 3, 4, 18, 17, 2), ("line", 3, 9, 21, 9), ("line", 8, 2, 8, 5), ("line", 16, 2, 16, 5), ("slab", 7, 12, 4, 4, 1)),
    "house": (("loop", 3, 11, 12, 3, 21, 11, 21, 21, 3, 21), ("slab", 10, 14, 4, 7, 0)),
    "telephone": (("box", 6, 2, 12, 20, 2), ("line", 10, 18, 14, 18), ("slab", 8, 5, 8, 10, 0)),
    "speaker": (
        ("part", 3, 9, 7, 9, 12, 5, 12, 19, 7, 15, 3, 15), ("loop", 3, 9, 7, 9, 12, 5, 12, 19, 7, 15, 3, 15),
        ("line", 16, 9, 17.5, 12, 16, 15), ("line", 19, 6, 21.5, 12, 19, 18),
    ),
    "letters": (("line", 2, 20, 8, 4, 14, 20), ("line", 4.5, 14, 11.5, 14), ("line", 15, 20, 18.5, 11, 22, 20), ("line", 16.3, 17, 20.7, 17)),
    "contrast": (("ring", 12, 12, 9), ("half", 12, 12, 9)),
    "languages": (("line", 4, 5, 20, 5), ("ring", 12, 12, 9.5), ("line", 12, 2.5, 12, 21.5), ("line", 2.5, 12, 21.5, 12), ("line", 4, 19, 20, 19)),
    "arrow_up": (("part", 12, 3, 20, 11, 15, 11, 15, 21, 9, 21, 9, 11, 4, 11), ("loop", 12, 3, 20, 11, 15, 11, 15, 21, 9, 21, 9, 11, 4, 11)),
    "arrow_down": (("part", 12, 21, 20, 13, 15, 13, 15, 3, 9, 3, 9, 13, 4, 13), ("loop", 12, 21, 20, 13, 15, 13, 15, 3, 9, 3, 9, 13, 4, 13)),
    "arrow_left": (("part", 3, 12, 11, 4, 11, 9, 21, 9, 21, 15, 11, 15, 11, 20), ("loop", 3, 12, 11, 4, 11, 9, 21, 9, 21, 15, 11, 15, 11, 20)),
    "emblem": (("box", 1.5, 4.5, 21, 15, 3), ("ring", 8, 12, 3), ("line", 14, 10, 19, 10), ("line", 14, 14, 19, 14)),
    "digit_typed": (("dot", 12, 12, 10),),
    "digit_open": (("ring", 12, 12, 9),),
    "done": (("disc", 12, 12, 11.5), ("line", 6.5, 12.5, 10.5, 16.5, 17.5, 8.5)),
    "caution": (("part", 12, 2.5, 22.5, 21, 1.5, 21), ("loop", 12, 2.5, 22.5, 21, 1.5, 21), ("line", 12, 9, 12, 14.5), ("dot", 12, 17.8, 1.3)),
    "stop": (("part", *_octagon(12, 11.8)), ("line", 6.5, 12, 17.5, 12)),
    "hand": (("slab", 1, 1, 22, 22, 3), ("box", 2, 2, 20, 20, 2), ("line", 6.5, 12, 17, 12), ("line", 12.5, 7.5, 17, 12, 12.5, 16.5)),
}  # fmt: skip
