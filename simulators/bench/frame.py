"""The glass seen and touched from outside: the X server's own memory file, and a finger of real X events.

Looking costs the kiosk nothing; a press costs no process. All calls block: from trio, use a thread.
"""

import ctypes
import mmap
import time
from collections.abc import Callable
from operator import eq
from pathlib import Path

WAIT_S_MAX = 20.0
REST_S = 1.5  # longer than the longest pause of an arrow that moves
POLL_S = 0.0005
SAMPLE_BYTES = 997  # of each so many bytes one is looked at: 8,000 of a portrait glass, and all colours of a pixel
SAME_SHARE = 0.98  # an arrow and a clock may be elsewhere in what is still the same page


class Stuck(Exception):
    """The glass did not change, or did not come to rest, within WAIT_S_MAX."""


class Frame:
    """The X server's picture in shared memory (X11/XWDFile.h: big-endian words, colours, 32 bits a pixel)."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        head = [int.from_bytes(self._bytes[at * 4 : at * 4 + 4], "big") for at in range(25)]
        self._start = head[0] + head[19] * 12
        self._row = head[12]
        self._end = self._start + self._row * head[5]

    def pixel(self, x: int, y: int) -> bytes:
        at = self._start + y * self._row + x * 4
        return self._bytes[at : at + 3]

    def sample(self) -> bytes:
        return self._bytes[self._start : self._end : SAMPLE_BYTES]

    def settled(self) -> bytes:
        """A sample of the picture, once it has a drawing on it and has not changed for ``REST_S``. Raises Stuck."""
        end = time.monotonic() + WAIT_S_MAX
        last, since = b"", time.monotonic()
        while time.monotonic() < end:
            now = self.sample()
            if now != last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > REST_S and len(set(now)) > 2:
                return now
            time.sleep(0.05)
        raise Stuck("the picture does not come to rest")

    def shows(self, sample: bytes) -> bool:
        same: int = sum(map(eq, self.sample(), sample))
        return same >= len(sample) * SAME_SHARE


class Finger:
    """One finger by XTest (X.Org XTEST extension): synchronous to the server."""

    def __init__(self, display: str) -> None:
        self._x11, self._xtst = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
        self._x11.XOpenDisplay.restype = ctypes.c_void_p
        self._display = ctypes.c_void_p(self._x11.XOpenDisplay(display.encode()))

    def blacken(self) -> None:
        """Paint the ground that stands where no window is; X would leave the last picture there."""
        self._x11.XDefaultRootWindow.restype = ctypes.c_ulong
        root = ctypes.c_ulong(self._x11.XDefaultRootWindow(self._display))
        self._x11.XSetWindowBackground(self._display, root, ctypes.c_ulong(0))
        self._x11.XClearWindow(self._display, root)
        self._x11.XSync(self._display, 0)

    def move(self, x: int, y: int) -> None:
        self._xtst.XTestFakeMotionEvent(self._display, -1, x, y, 0)
        self._x11.XSync(self._display, 0)

    def button(self, down: bool) -> None:
        self._xtst.XTestFakeButtonEvent(self._display, 1, int(down), 0)
        self._x11.XSync(self._display, 0)

    def close(self) -> None:
        self._x11.XCloseDisplay(self._display)


def until(true: Callable[[], bool], every_s: float) -> None:
    """Raises Stuck."""
    end = time.monotonic() + WAIT_S_MAX
    while not true():
        if time.monotonic() > end:
            raise Stuck("the glass does not change")
        time.sleep(every_s)
