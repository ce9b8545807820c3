"""Photographs pictures with the real painter, off screen: any size in one process, the same pixels every time."""

import hashlib
import os
import tempfile
from functools import lru_cache
from pathlib import Path

import PIL
from PIL import Image

from screens.environment import prepare
from screens.palette import rgb
from screens.picture import Picture
from screens.typeface import BOLD, RARE, REGULAR


@lru_cache(maxsize=1)
def open_window() -> None:
    """One hidden Kivy window for the process; the environment of other tests stays as it was."""
    kept = dict(os.environ)
    os.environ["SDL_VIDEODRIVER"] = "offscreen"
    os.environ.pop("DISPLAY", None)
    prepare(64, 64, Path(tempfile.mkdtemp(prefix="yikatong-kivy-")))
    from kivy.core.window import Window

    assert Window is not None
    for name in set(os.environ) - set(kept):
        del os.environ[name]
    os.environ.update(kept)


def photograph(picture: Picture, width: int, height: int) -> Image.Image:
    """The picture as pixels."""
    plate = _plate(width, height)
    plate.painter.paint(picture)
    plate.ground.rgba = (*rgb(picture.ground), 1)
    plate.fbo.draw()
    return upright(bytes(plate.fbo.pixels), width, height)


class _Plate:
    """A frame buffer and its painter. Kivy never gives a frame buffer's memory back, so there is one for each size."""

    def __init__(self, width: int, height: int) -> None:
        from kivy.graphics import ClearBuffers, ClearColor, Fbo

        from screens.painter import Painter

        self.painter = Painter(height)
        self.ground = ClearColor(0, 0, 0, 1)
        self.fbo = Fbo(size=(width, height))
        for part in (self.ground, ClearBuffers(), self.painter.group):
            self.fbo.add(part)


@lru_cache(maxsize=8)
def _plate(width: int, height: int) -> _Plate:
    open_window()
    return _Plate(width, height)


def upright(pixels: bytes, width: int, height: int) -> Image.Image:
    """A frame buffer as people see it: its rows come from below."""
    return Image.frombytes("RGBA", (width, height), pixels).transpose(Image.Transpose.FLIP_TOP_BOTTOM).convert("RGB")


def fingerprint(image: Image.Image) -> str:
    return hashlib.sha256(image.tobytes()).hexdigest()[:16]


def versions() -> dict[str, str]:
    """Everything beside our own code that decides about pixels."""
    open_window()
    import kivy
    from kivy.graphics.opengl import GL_RENDERER, GL_VERSION, glGetString

    def gl(name: int) -> str:
        return bytes(glGetString(name)).decode(errors="replace").split(", 256")[0].split(", 512")[0]

    fonts = {file.path.name: hashlib.sha256(file.path.read_bytes()).hexdigest()[:12] for file in (REGULAR, BOLD, *RARE)}
    return {
        "kivy": kivy.__version__,
        "pillow": PIL.__version__,
        "gl": gl(GL_VERSION),
        "renderer": gl(GL_RENDERER).split(" (")[0],
        **fonts,
    }
