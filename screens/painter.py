"""Draws a picture with Kivy's canvas. The only place where boxes become pixels.

Textures live as long as the picture that shows them, so nothing of a resident stays in memory after it.
"""

from collections.abc import Callable

from kivy.graphics import Color, InstructionGroup, Rectangle, SmoothRoundedRectangle
from kivy.graphics.texture import Texture

from screens.palette import rgb
from screens.picture import Drawing, Panel, Picture, Words
from screens.theme import Box
from screens.typeface import overhang, raster
from screens.widgets.brush import icon

Change = Callable[[bool], None]


class Painter:
    """Paints into one group of instructions, for a glass ``height`` px high (Kivy counts from below)."""

    def __init__(self, height: int) -> None:
        self.group = InstructionGroup()
        self._height = height
        self._kept: dict[object, Texture] = {}
        self._presses: dict[str, list[Change]] = {}

    def paint(self, picture: Picture) -> None:
        """Replace the picture that stands. Its ground is the clear colour: filling the glass twice costs 8 ms."""
        old, self._kept = self._kept, {}
        self._presses = {}
        self.group.clear()
        for item in picture.items:
            match item:
                case Panel():
                    self._panel(item)
                case Words():
                    self._words(item, old)
                case Drawing():
                    self._drawing(item, old)

    def press(self, act: str, down: bool) -> None:
        """Show the target ``act`` as pressed or not; nothing else of the picture is touched."""
        for change in self._presses.get(act, []):
            change(down)

    def _panel(self, panel: Panel) -> None:
        edge = panel.outline_px if panel.outline else 0
        outer = self._shape(panel.box, panel.outline, panel.radius) if edge else None
        inner_box = panel.box.inset(edge)
        colour, inner = self._shape(inner_box, panel.fill, max(0, panel.radius - edge))
        if panel.down and outer:
            down_fill, down_px = panel.down
            self._on_press(panel.target, _recolour(colour, panel.fill, down_fill))
            self._on_press(panel.target, self._resize(inner, inner_box, panel.box.inset(down_px)))

    def _resize(self, shape: Rectangle, normal: Box, pressed: Box) -> Change:
        def change(down: bool) -> None:
            box = pressed if down else normal
            shape.pos, shape.size = self._pos(box), (box.w, box.h)

        return change

    def _words(self, words: Words, old: dict[object, Texture]) -> None:
        key = (words.words, words.size, words.bold, words.box.h)
        texture = self._kept.get(key) or old.get(key)
        if texture is None:
            wide, high, alpha = raster(words.words, words.size, words.bold, words.box.h)
            texture = _texture(wide, high, "luminance_alpha", _white(alpha))
        self._kept[key] = texture
        colour = self._colour(words.colour)
        edge = overhang(words.size)
        box = Box(words.box.x - edge, words.box.y - edge, *texture.size)
        self.group.add(Rectangle(texture=texture, pos=self._pos(box), size=texture.size))
        if words.target:
            self._on_press(words.target, _recolour(colour, words.colour, words.down_colour))

    def _drawing(self, drawing: Drawing, old: dict[object, Texture]) -> None:
        key = (drawing.name, drawing.box.w, drawing.ink, drawing.fill)
        texture = self._kept.get(key) or old.get(key)
        if texture is None:
            side = drawing.box.w
            texture = _texture(side, side, "rgba", icon(drawing.name, side, drawing.ink, drawing.fill))
        self._kept[key] = texture
        self._colour("#FFFFFF")
        self.group.add(Rectangle(texture=texture, pos=self._pos(drawing.box), size=(drawing.box.w, drawing.box.h)))

    def _shape(self, box: Box, colour: str, radius: int) -> tuple[Color, Rectangle]:
        if radius < 2:
            return self._rectangle(box, colour)
        shade = self._colour(colour)
        shape = SmoothRoundedRectangle(pos=self._pos(box), size=(box.w, box.h), radius=[radius])
        self.group.add(shape)
        return shade, shape

    def _rectangle(self, box: Box, colour: str) -> tuple[Color, Rectangle]:
        shade = self._colour(colour)
        shape = Rectangle(pos=self._pos(box), size=(box.w, box.h))
        self.group.add(shape)
        return shade, shape

    def _colour(self, colour: str) -> Color:
        shade = Color(*rgb(colour))
        self.group.add(shade)
        return shade

    def _pos(self, box: Box) -> tuple[int, int]:
        return box.x, self._height - box.bottom

    def _on_press(self, act: str, change: Change) -> None:
        self._presses.setdefault(act, []).append(change)


def _recolour(shade: Color, normal: str, pressed: str) -> Change:
    def change(down: bool) -> None:
        shade.rgb = rgb(pressed if down else normal)

    return change


def _texture(wide: int, high: int, form: str, pixels: bytes) -> Texture:
    texture = Texture.create(size=(wide, high), colorfmt=form)
    texture.blit_buffer(pixels, colorfmt=form, bufferfmt="ubyte")
    texture.flip_vertical()
    return texture


def _white(alpha: bytes) -> bytes:
    """White with this coverage, as luminance and alpha in turn."""
    both = bytearray(b"\xff" * (2 * len(alpha)))
    both[1::2] = alpha
    return bytes(both)
