"""One theme: every size, zone and colour of the picture, from the glass in millimetres (ui-direction 1-4).

Two layouts are drawn by hand, 1080x1920 upright and 1280x800 across; other glasses scale the nearer one. All boxes
are pixels from the top left corner.
"""

import math
from dataclasses import dataclass

from screens.palette import Palette, palette

EM_MIN_MM = 6.6  # capital I of 4.8 mm; nothing on any screen is smaller
REACH_MAX_MM = 1220  # no target above this height from the floor
LINE_CHARS = 18
LINE_CHARS_LARGE = 14


@dataclass(frozen=True)
class Box:
    """A rectangle; ``x``, ``y`` its upper left corner."""

    x: int
    y: int
    w: int
    h: int

    @property
    def right(self) -> int:
        return self.x + self.w

    @property
    def bottom(self) -> int:
        return self.y + self.h

    def inset(self, dx: int, dy: int | None = None) -> "Box":
        dy = dx if dy is None else dy
        return Box(self.x + dx, self.y + dy, self.w - 2 * dx, self.h - 2 * dy)

    def contains(self, x: float, y: float, slop: float = 0) -> bool:
        return self.x - slop <= x < self.right + slop and self.y - slop <= y < self.bottom + slop

    def overlaps(self, other: "Box") -> bool:
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom

    def centred(self, w: int, h: int) -> "Box":
        """A box of that size in the middle of this one."""
        return Box(self.x + (self.w - w) // 2, self.y + (self.h - h) // 2, w, h)


@dataclass(frozen=True)
class Type:
    """Em sizes in px. Line heights are ``size * lead``."""

    note: int
    body: int
    label: int
    question: int
    figure: int


LEADS = {"note": 1.4, "body": 1.5, "label": 1.2, "question": 1.3, "figure": 1.1}


@dataclass(frozen=True)
class Sizes:
    margin: int
    gap: int
    care_gap: int
    tile: tuple[int, int]
    tile_upright: bool  # icon above the label, not beside it
    row_h: int
    button: tuple[int, int]
    care: tuple[int, int]
    strip_h: int  # page and hide buttons: a row below the work, or a column beside it
    strip_w: int
    side_w: int  # answers beside another body, on a wide glass
    icon: int
    mark: int  # the shape that tells the tone
    pad: int
    radius: int
    outline: int


@dataclass(frozen=True)
class Zones:
    """Five zones, the same place on every screen."""

    header: Box
    question: Box
    work: Box
    act: Box
    care: Box


@dataclass(frozen=True)
class Theme:
    width: int
    height: int
    mm_per_px: float
    portrait: bool
    large: bool
    low_reach: bool
    touch_top: int
    colour: Palette
    type: Type
    sizes: Sizes
    zones: Zones

    @property
    def line_chars(self) -> int:
        return LINE_CHARS_LARGE if self.large else LINE_CHARS

    def line_h(self, role: str) -> int:
        """Height of one line of text in a role of ``Type``."""
        return round(getattr(self.type, role) * LEADS[role])


def theme(
    width: int,
    height: int,
    mm_per_px: float,
    screen_bottom_mm: int,
    large: bool = False,
    contrast: bool = False,
    low_reach: bool = False,
    action: str = "#0F4C6B",
) -> Theme:
    """The theme of one glass in one mode.

    ``screen_bottom_mm`` is the height of the picture's lower edge above the floor.

    Raises:
        ValueError: the city's ``action`` is too weak.
    """
    portrait = height > width
    scale = min(width / 1080, height / 1920) if portrait else min(width / 1280, height / 800)
    reach_px = math.floor((REACH_MAX_MM - screen_bottom_mm) / mm_per_px)
    highest = round(640 * scale) if portrait else 0
    touch_top = max(highest, height - reach_px)
    low = low_reach or (portrait and touch_top > highest)
    return Theme(
        width=width,
        height=height,
        mm_per_px=mm_per_px,
        portrait=portrait,
        large=large,
        low_reach=low,
        touch_top=touch_top,
        colour=palette(action, contrast),
        type=_type(portrait, large, scale, mm_per_px),
        sizes=_sizes(portrait, large, low, scale),
        zones=_zones(width, height, portrait, large, low, scale),
    )


_TYPES = {
    (True, False): Type(30, 38, 48, 60, 88),
    (True, True): Type(40, 56, 60, 76, 104),
    (False, False): Type(40, 40, 42, 52, 72),
    (False, True): Type(48, 52, 54, 60, 84),
}


def _type(portrait: bool, large: bool, scale: float, mm_per_px: float) -> Type:
    floor = math.ceil(EM_MIN_MM / mm_per_px)
    table = _TYPES[portrait, large]
    return Type(*(max(floor, round(size * scale)) for size in vars(table).values()))


def _sizes(portrait: bool, large: bool, low: bool, scale: float) -> Sizes:
    def px(value: int) -> int:
        return round(value * scale)

    if portrait:
        tile = (968, 200) if large else (472, 268 if low else 272)
        row_h, button, care, strip = (200 if large else 136), (472, 144), (180, 168), (968, 120)
        icon, mark, margin, care_gap, pad = 96, 112, 56, 17, 24
    else:
        tile = (596, 141) if large else (389, 160)
        # In large type the two buttons share the whole width: the words would not fit otherwise.
        button = (596, 112) if large else (389, 104)
        row_h, care, strip = (120 if large else 98), (224, 96), (264, 90) if large else (224, 92)
        icon, mark, margin, care_gap, pad = 64, 80, 32, 24, 16
    return Sizes(
        margin=px(margin),
        gap=px(24),
        care_gap=px(care_gap),
        tile=(px(tile[0]), px(tile[1])),
        tile_upright=portrait and not large,
        row_h=px(row_h),
        button=(px(button[0]), px(button[1])),
        care=(px(care[0]), px(care[1])),
        strip_h=px(strip[1]),
        strip_w=px(strip[0]),
        side_w=px(389),
        icon=px(icon),
        mark=px(mark),
        pad=px(pad),
        radius=px(20),
        outline=max(2, px(3)),
    )


def _zones(width: int, height: int, portrait: bool, large: bool, low: bool, scale: float) -> Zones:
    if portrait:
        edges, margin = [0, 144, 960 if low else 640, 1520, 1720, 1920], 56
    else:
        edges, margin = [0, 72, 240 if large else 208, 556 if large else 564, 684, 800], 32
    tops = [round(edge * scale) for edge in edges[:-1]] + [height]
    side = round(margin * scale)

    def zone(index: int, bleed: bool = False, above_act: int = 0) -> Box:
        left = 0 if bleed else side
        return Box(left, tops[index], width - 2 * left, tops[index + 1] - tops[index] - above_act)

    # On the wide glass zone 4 is hardly higher than its buttons, so the air between stands in zone 3.
    air = 0 if portrait else round((10 if large else 12) * scale)
    return Zones(zone(0, True), zone(1), zone(2, above_act=air), zone(3), zone(4, True))
