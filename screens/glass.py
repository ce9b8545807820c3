"""The window: one Kivy widget that shows the painter's group and hands touches on. Imports Kivy."""

from collections.abc import Callable

import trio
from kivy.base import EventLoop, runTouchApp
from kivy.core.window import Window
from kivy.input import MotionEvent
from kivy.uix.widget import Widget

from screens.loop import Loop
from screens.painter import Painter
from screens.palette import rgb
from screens.picture import Picture

Point = Callable[[float, float], None]


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

    def paint(self, picture: Picture) -> None:
        Window.clearcolor = (*rgb(picture.ground), 1)
        self._painter.paint(picture)
        self._loop.wake()

    def press(self, act: str, down: bool) -> None:
        self._painter.press(act, down)
        self._loop.wake()

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """Show the pane and run the loop until cancelled; the window itself lives as long as the process."""
        if EventLoop.status != "started":
            runTouchApp(self._pane, embedded=True)
        else:
            Window.add_widget(self._pane)
        try:
            await self._loop.run(task_status)
        finally:
            Window.remove_widget(self._pane)
