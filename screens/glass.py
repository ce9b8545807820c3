"""The window: one Kivy widget that shows the painter's group and hands touches on. Imports Kivy.

Where software draws, only what changed is drawn: a pressed tile takes 3 ms instead of 13. That needs a back buffer that
keeps its pixels from frame to frame. Mesa's software renderers under X have one, as they copy it to the window at
each swap; buffers that are exchanged, as a GPU's are, hold an older frame, and are always drawn whole.
"""

from collections.abc import Callable

import trio
from kivy.base import EventLoop, runTouchApp
from kivy.core.window import Window
from kivy.graphics.opengl import (
    GL_RENDERER,
    GL_RGB,
    GL_SCISSOR_TEST,
    GL_UNSIGNED_BYTE,
    glDisable,
    glEnable,
    glGetString,
    glReadPixels,
    glScissor,
)
from kivy.input import MotionEvent
from kivy.uix.widget import Widget

from screens.compiler_code import let_go
from screens.damage import MARGIN_PX, Damage, changed_items, extent
from screens.loop import Loop, x_connection
from screens.painter import Painter
from screens.palette import rgb
from screens.picture import Picture
from screens.theme import Box

Point = Callable[[float, float], None]
_COPYING_RENDERERS = (b"llvmpipe", b"softpipe")


class _Pane(Widget):
    """The whole glass as one widget; what is on it is the picture's business."""

    def __init__(self, height: int, down: Point, up: Point) -> None:
        super().__init__()
        self._height_px = height
        self._down = down
        self._up = up

    def on_touch_down(self, touch: MotionEvent) -> bool:
        self._down(touch.x, self._height_px - touch.y)
        return True

    def on_touch_up(self, touch: MotionEvent) -> bool:
        self._up(touch.x, self._height_px - touch.y)
        return True


class Glass:
    """Kivy's side of ``KivyScreen``; ``y`` counts from the top everywhere outside."""

    def __init__(
        self, height: int, deadline: Callable[[], float], on_time: Callable[[], None], down: Point, up: Point
    ) -> None:
        self._painter = Painter(height)
        self._pane = _Pane(height, down, up)
        self._pane.canvas.add(self._painter.group)
        self._loop = Loop(deadline, on_time)
        self._height_px = height
        self._picture: Picture | None = None
        self._damage = Damage()
        self._pressed: Box | None = None

    def paint(self, picture: Picture) -> None:
        changed = changed_items(self._picture, picture) if self._picture else None
        for item in changed or []:
            self._damage.add(extent(item))
        if changed is None:
            self._damage.add_all()
        if self._pressed:
            self._damage.add(self._pressed)  # painted anew, nothing is pressed
        elif changed == []:
            return
        self._picture, self._pressed = picture, None
        Window.clearcolor = (*rgb(picture.ground), 1)
        self._painter.paint(picture)
        self._loop.wake()

    def foresee(self, picture: Picture) -> None:
        self._painter.foresee(picture)

    def press(self, act: str, down: bool) -> None:
        target = self._picture.target(act) if self._picture else None
        if target is None:
            return
        box = target.box.inset(-MARGIN_PX)
        self._damage.add(box)
        self._pressed = box if down else None
        self._painter.press(act, down)
        self._pane.canvas.ask_update()  # Kivy does not hear of a change below a canvas with a shader of its own
        self._loop.wake()

    def once_drawn(self, tell: Callable[[], None]) -> None:
        """Call it once, when what was painted until now stands on the glass."""
        self._loop.once_drawn(tell)

    def wake(self) -> None:
        """The next change that time makes comes sooner than the loop was told."""
        self._loop.wake()

    def pixels(self) -> tuple[int, int, bytes]:
        """Width, height and what stands on the glass: RGB, rows from the bottom up."""
        width, height = (int(side) for side in Window.size)
        return width, height, bytes(glReadPixels(0, 0, width, height, GL_RGB, GL_UNSIGNED_BYTE))

    def rest(self) -> None:
        """Now and then: give back what only the start needed."""
        let_go()

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """Show the pane and run the loop until cancelled; the window itself lives as long as the process."""
        if EventLoop.status != "started":
            runTouchApp(self._pane, embedded=True)
        else:
            Window.add_widget(self._pane)
        self._damage.add_all()
        if keeps_pixels():
            Window.bind(on_draw=self._narrow, on_flip=_widen)
        try:
            await self._loop.run(task_status)
        finally:
            Window.unbind(on_draw=self._narrow, on_flip=_widen)
            Window.remove_widget(self._pane)

    def _narrow(self, window: object) -> None:
        """Just before Kivy clears and draws."""
        box = self._damage.take()
        if box:
            glEnable(GL_SCISSOR_TEST)
            glScissor(box.x, self._height_px - box.bottom, box.w, box.h)


def _widen(window: object) -> None:
    """Just before Kivy shows what was drawn: other frame buffers are drawn whole."""
    glDisable(GL_SCISSOR_TEST)


def keeps_pixels() -> bool:
    """Whether the back buffer still holds the last frame after a swap."""
    return x_connection() is not None and glGetString(GL_RENDERER).startswith(_COPYING_RENDERERS)
