"""The panel stays lit, against a real X server. It has no monitor, so DPMS is proved on no machine of ours."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes.util import find_library
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from screens.awake import LOOK_S, light, stay_lit

X11 = ctypes.CDLL("libX11.so.6")
X11.XOpenDisplay.restype = ctypes.c_void_p
X11.XDefaultRootWindow.restype = ctypes.c_ulong
ACTIVE = 1
NEEDS_XSS = pytest.mark.skipif(find_library("Xss") is None, reason="only libXss can ask whether a screen is blank")


class SaverState(ctypes.Structure):
    """XScreenSaverInfo of X11/extensions/scrnsaver.h."""

    _fields_ = (
        ("window", ctypes.c_ulong), ("state", ctypes.c_int), ("kind", ctypes.c_int),
        ("til_or_since", ctypes.c_ulong), ("idle", ctypes.c_ulong), ("mask", ctypes.c_ulong),
    )  # fmt: skip


@contextmanager
def seen(name: str) -> Iterator[ctypes.c_void_p]:
    """A connection to this display."""
    address = X11.XOpenDisplay(name.encode())
    assert address, f"no X server at {name}"
    display = ctypes.c_void_p(address)
    yield display
    X11.XCloseDisplay(display)


def patience_s(name: str) -> int:
    """After how long this display blanks; 0 is never."""
    found = [ctypes.c_int() for _ in range(4)]
    with seen(name) as display:
        X11.XGetScreenSaver(display, *(ctypes.byref(one) for one in found))
    return found[0].value


def is_blank(display: ctypes.c_void_p) -> bool:
    state = SaverState()
    root = ctypes.c_ulong(X11.XDefaultRootWindow(display))
    assert ctypes.CDLL("libXss.so.1").XScreenSaverQueryInfo(display, root, ctypes.byref(state))
    return state.state == ACTIVE


def test_a_display_that_would_blank_never_does(x_server: str) -> None:
    """Ten minutes before, never afterwards."""
    assert patience_s(x_server) == 600
    assert light(x_server)
    assert patience_s(x_server) == 0


@NEEDS_XSS
def test_a_display_that_is_blank_is_lit(x_server: str) -> None:
    """Whoever blanked it: no touch is needed."""
    with seen(x_server) as display:
        X11.XForceScreenSaver(display, ACTIVE)
        X11.XSync(display, 0)
        assert is_blank(display)
        light(x_server)
        assert not is_blank(display)


async def test_it_is_looked_after_each_minute(
    x_server: str, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody switches blanking on again: a minute later it is off."""
    monkeypatch.setenv("DISPLAY", x_server)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stay_lit)
        await trio.sleep(1)
        with seen(x_server) as display:
            X11.XSetScreenSaver(display, 300, 300, 2, 2)
        assert patience_s(x_server) == 300
        await trio.sleep(LOOK_S)
        assert patience_s(x_server) == 0
        nursery.cancel_scope.cancel()


def test_without_an_x_server_nothing_is_told(tmp_path: Path) -> None:
    """Where SDL draws without X there is no screen saver either."""
    assert not light(f":{os.getpid() + 100_000}")
