"""Rasterises icons with Pillow, four times too large and then reduced, so that edges are smooth without MSAA."""

from collections.abc import Callable
from functools import lru_cache

from PIL import Image, ImageDraw

from screens.palette import rgb
from screens.widgets.icons import ICONS, Shape

GRID = 24
STROKE = 2
_OVER = 4


@lru_cache(maxsize=256)
def icon(name: str, side: int, ink: str, fill: str) -> bytes:
    """RGBA rows from the top, ``side`` x ``side``. A name that is a path of a PNG is that picture (a city's emblem).

    Raises:
        LookupError: no icon of that name. OSError: no picture at that path.
    """
    if name.endswith(".png"):
        return _emblem(name, side)
    shapes = ICONS[name]
    image = Image.new("RGBA", (side * _OVER, side * _OVER), (*_bytes(ink), 0))
    pen = _Pen(ImageDraw.Draw(image), side * _OVER / GRID, _bytes(ink), _bytes(fill))
    for shape in shapes:
        pen.draw(shape)
    return image.resize((side, side), Image.Resampling.BOX).tobytes()


def _emblem(path: str, side: int) -> bytes:
    with Image.open(path) as picture:
        whole = picture.convert("RGBA")
    whole.thumbnail((side, side), Image.Resampling.LANCZOS)
    sheet = Image.new("RGBA", (side, side), (255, 255, 255, 0))
    sheet.paste(whole, ((side - whole.width) // 2, (side - whole.height) // 2))
    return sheet.tobytes()


def _bytes(colour: str) -> tuple[int, int, int]:
    red, green, blue = (round(part * 255) for part in rgb(colour))
    return red, green, blue


class _Pen:
    def __init__(
        self, pen: ImageDraw.ImageDraw, unit: float, ink: tuple[int, int, int], fill: tuple[int, int, int]
    ) -> None:
        self._pen = pen
        self._unit = unit
        self._ink = (*ink, 255)
        self._fill = (*fill, 255)
        self._width = round(STROKE * unit)

    def draw(self, shape: Shape) -> None:
        numbers = [float(number) * self._unit for number in shape[1:]]
        kinds: dict[str, Callable[[list[float]], None]] = {
            "line": self._line,
            "loop": lambda at: self._line([*at, at[0], at[1]]),
            "part": lambda at: self._pen.polygon(at, fill=self._fill),
            "box": lambda at: self._box(at, None),
            "slab": lambda at: self._box(at, self._fill),
            "ring": lambda at: self._circle(at, None, self._ink),
            "disc": lambda at: self._circle(at, self._fill, None),
            "dot": lambda at: self._circle(at, self._ink, None),
            "half": self._half,
        }
        kinds[str(shape[0])](numbers)

    def _line(self, at: list[float]) -> None:
        points = list(zip(at[::2], at[1::2], strict=True))
        self._pen.line(points, fill=self._ink, width=self._width, joint="curve")
        for x, y in points:
            self._circle([x, y, self._width / 2], self._ink, None)

    def _circle(self, at: list[float], fill: tuple[int, ...] | None, outline: tuple[int, ...] | None) -> None:
        x, y, radius = at
        grow = self._width / 2 if outline else 0
        edge = (x - radius - grow, y - radius - grow, x + radius + grow, y + radius + grow)
        self._pen.ellipse(edge, fill=fill, outline=outline, width=self._width)

    def _half(self, at: list[float]) -> None:
        x, y, radius = at
        self._pen.pieslice((x - radius, y - radius, x + radius, y + radius), -90, 90, fill=self._ink)

    def _box(self, at: list[float], fill: tuple[int, ...] | None) -> None:
        x, y, wide, high, radius = at
        grow = 0 if fill else self._width / 2
        edge = (x - grow, y - grow, x + wide + grow, y + high + grow)
        outline = None if fill else self._ink
        self._pen.rounded_rectangle(edge, radius + grow, fill=fill, outline=outline, width=self._width)
