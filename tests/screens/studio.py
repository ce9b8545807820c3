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
    open_window()
    from kivy.graphics import ClearBuffers, ClearColor, Fbo

    from screens.painter import Painter

    painter = Painter(height)
    painter.paint(picture)
    fbo = Fbo(size=(width, height))
    for part in (ClearColor(*rgb(picture.ground), 1), ClearBuffers(), painter.group):
        fbo.add(part)
    fbo.draw()
    image = upright(bytes(fbo.pixels), width, height)
    fbo.clear()
    return image


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
