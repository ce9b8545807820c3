"""Draws a picture with Kivy's canvas. The only place where boxes become pixels.

Textures live as long as the picture that shows them, so nothing of a resident stays in memory after it.
"""

import ctypes
from collections.abc import Callable
from functools import cache

from kivy.graphics import Color, InstructionGroup, Mesh, Rectangle, RenderContext
from kivy.graphics.texture import Texture

from screens import fills
from screens.layers import layers
from screens.palette import rgb
from screens.picture import Drawing, Panel, Picture, Words
from screens.theme import Box
from screens.typeface import overhang, raster
from screens.widgets.brush import icon

Change = Callable[[bool], None]

# Kivy's own shader reads a texture for every pixel, also where there is none: half of what a fill costs.
_FILL_VERTEX = """
attribute vec2 vPosition;
attribute vec4 vColor;
uniform mat4 modelview_mat;
uniform mat4 projection_mat;
varying vec4 colour;
void main(void) {
    colour = vColor;
    gl_Position = projection_mat * modelview_mat * vec4(vPosition, 0.0, 1.0);
}
"""
_FILL_PIXEL = """
#ifdef GL_ES
precision mediump float;
#endif
varying vec4 colour;
void main(void) {
    gl_FragColor = colour;
}
"""
LAYERS_READY = 3  # nearly every page has one layer or two
_FILL_FORMAT = [(b"vPosition", 2, "float"), (b"vColor", 4, "float")]


class Painter:
    """Paints into one group of instructions, for a glass ``height`` px high (Kivy counts from below)."""

    def __init__(self, height: int) -> None:
        self.group = InstructionGroup()
        self._height = height
        self._fills = _canvases_for_fills(LAYERS_READY)
        self._kept: dict[object, Texture] = {}
        self._presses: dict[str, list[Change]] = {}

    def paint(self, picture: Picture) -> None:
        """Replace the picture that stands. Its ground is the clear colour: filling the glass twice costs 8 ms."""
        old, self._kept = self._kept, {}
        self._presses = {}
        self.group.clear()
        for number, layer in enumerate(layers(picture.items)):
            self._fill(number, layer.panels)
            for item in layer.written:
                match item:
                    case Words():
                        self._words(item, old)
                    case Drawing():
                        self._drawing(item, old)

    def foresee(self, picture: Picture) -> None:
        """Rasterise what a picture will need, before it is painted; the caches of texts and icons keep it."""
        for item in picture.items:
            match item:
                case Words():
                    raster(item.words, item.size, item.bold, item.box.h)
                case Drawing():
                    icon(item.name, item.box.w, item.ink, item.fill)

    def press(self, act: str, down: bool) -> None:
        """Show the target ``act`` as pressed or not; nothing else of the picture is touched."""
        for change in self._presses.get(act, []):
            change(down)

    def _fill(self, number: int, panels: list[Panel]) -> None:
        """The panels of one layer, in a canvas of their own shader; canvases are kept."""
        if not panels:
            return
        if number == len(self._fills):
            self._fills += _canvases_for_fills(1)
        canvas = self._fills[number]
        canvas.clear()
        for panel in panels:
            canvas.add(self._panel(panel))
        self.group.add(canvas)

    def _panel(self, panel: Panel) -> Mesh:
        edge = panel.outline_px if panel.outline else 0

        def shape(fill: str, outline_px: int) -> list[float]:
            return fills.vertices(panel.box, self._height, panel.radius, fill, panel.outline, outline_px)

        triangles = fills.indices(panel.radius >= fills.ROUND_FROM_PX, edge > 0)
        normal = shape(panel.fill, edge)
        mesh = Mesh(vertices=normal, indices=triangles, mode="triangles", fmt=_FILL_FORMAT)
        if panel.down and edge:
            self._on_press(panel.target, _reshape(mesh, normal, shape(*panel.down)))
        return mesh

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

    def _colour(self, colour: str) -> Color:
        shade = Color(*rgb(colour))
        self.group.add(shade)
        return shade

    def _pos(self, box: Box) -> tuple[int, int]:
        return box.x, self._height - box.bottom

    def _on_press(self, act: str, change: Change) -> None:
        self._presses.setdefault(act, []).append(change)


@cache
def _gl() -> ctypes.CDLL:
    return ctypes.CDLL("libGL.so.1")


def _canvases_for_fills(count: int) -> list[RenderContext]:
    """Each compiles its shader. The compiler's own memory, 7 MB with Mesa, is given back at once."""
    made = [
        RenderContext(vs=_FILL_VERTEX, fs=_FILL_PIXEL, use_parent_projection=True, use_parent_modelview=True)
        for _ in range(count)
    ]
    _gl().glReleaseShaderCompiler()  # Kivy's own name for it is not implemented
    return made


def _reshape(mesh: Mesh, normal: list[float], pressed: list[float]) -> Change:
    def change(down: bool) -> None:
        mesh.vertices = pressed if down else normal

    return change


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
