"""The event loop that sleeps on the X connection: no frames where nothing changed, no wait before a touch is seen.

Kivy's own loop runs at a fixed rate and hands a touch on one frame late. Here one pass reads SDL's events first,
then lets Kivy dispatch and draw; passes repeat while they did something; then the task sleeps until the X connection
is readable, the next deadline comes, or somebody calls ``wake``.
"""

import ctypes
import math
from collections.abc import Callable
from pathlib import Path

import kivy
import trio
from kivy.base import EventLoop
from kivy.clock import Clock

NAP_S_MAX = 5.0  # the wall clock may be set while we sleep: so long may the glass show the old time
NAP_S_WITHOUT_X = 0.03  # offscreen and KMS have no descriptor to sleep on
PASSES_MAX = 8  # before other tasks must get their turn


class Loop:
    """``deadline`` answers the trio time of the next change of the picture, ``on_time`` makes it."""

    def __init__(self, deadline: Callable[[], float], on_time: Callable[[], None]) -> None:
        self._deadline = deadline
        self._on_time = on_time
        self._nap = trio.CancelScope()
        self._woken = False
        self._drawn: list[Callable[[], None]] = []

    def wake(self) -> None:
        """Something must be drawn. Harmless when the loop is awake."""
        self._woken = True
        self._nap.cancel()

    def once_drawn(self, tell: Callable[[], None]) -> None:
        """Call it once, when what was painted until now stands on the glass."""
        self._drawn.append(tell)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Draw until cancelled; started once the first picture is on the glass."""
        fd = x_connection()
        self._passes()
        task_status.started()
        while True:
            await self._sleep(fd)
            self._on_time()
            self._passes()

    def _passes(self) -> None:
        self._woken = False
        for _ in range(PASSES_MAX):
            if not _one_pass():
                break
        drawn, self._drawn = self._drawn, []
        for tell in drawn:
            tell()

    async def _sleep(self, fd: int | None) -> None:
        await trio.lowlevel.checkpoint()
        longest = NAP_S_MAX if fd is not None else NAP_S_WITHOUT_X
        wait_s = 0.0 if self._woken or _due() else min(longest, max(0.0, self._deadline() - trio.current_time()))
        if wait_s == 0.0:
            return
        with trio.move_on_after(wait_s) as self._nap:
            if fd is None:
                await trio.sleep_forever()
            else:
                await trio.lowlevel.wait_readable(fd)


def _one_pass() -> bool:
    """Read events, dispatch, draw; whether anything happened."""
    window = EventLoop.window
    window.mainloop()
    busy = bool(window.canvas.needs_redraw or EventLoop.input_events)
    EventLoop.idle()
    return busy or bool(window.canvas.needs_redraw)


def _due() -> bool:
    """Whether Kivy itself has scheduled something for its next frame."""
    return any(event.timeout <= 0 for event in Clock.get_events())


class _SystemWindow(ctypes.Structure):
    """Head of SDL_SysWMinfo (SDL_syswm.h) with the x11 member of its union."""

    _fields_ = (
        ("major", ctypes.c_uint8),
        ("minor", ctypes.c_uint8),
        ("patch", ctypes.c_uint8),
        ("subsystem", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("rest", ctypes.c_char * 64),
    )


_SUBSYSTEM_X11 = 2


def x_connection() -> int | None:
    """Descriptor of the X connection of the current window; None where SDL draws without X."""
    libraries = sorted((Path(kivy.__file__).parents[1] / "Kivy.libs").glob("libSDL2-2*"))
    sdl = ctypes.CDLL(str(libraries[0]) if libraries else "libSDL2-2.0.so.0")
    sdl.SDL_GL_GetCurrentWindow.restype = ctypes.c_void_p
    about = _SystemWindow(2, 0, 0)
    window = ctypes.c_void_p(sdl.SDL_GL_GetCurrentWindow())
    if not sdl.SDL_GetWindowWMInfo(window, ctypes.byref(about)) or about.subsystem != _SUBSYSTEM_X11:
        return None
    x11 = ctypes.CDLL("libX11.so.6")
    return int(x11.XConnectionNumber(ctypes.c_void_p(about.display)))


NEVER = math.inf
