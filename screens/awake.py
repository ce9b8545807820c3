"""The panel stays lit: an X server blanks it after ten minutes by itself, and lets a monitor sleep (fault row 33).

A touch panel that wakes nobody would look like a machine that is off. So both are switched off at the start and again
each minute, whoever switched them on, which also lights what is dark already.
"""

import ctypes
from typing import NoReturn

import trio

LOOK_S = 60.0
_NEVER, _AS_IT_IS, _RESET = 0, 2, 0  # X.h: DefaultBlanking and DefaultExposures; ScreenSaverReset


async def stay_lit() -> NoReturn:
    """For as long as the process lives."""
    while True:
        light()
        await trio.sleep(LOOK_S)


def light(display: str | None = None) -> bool:
    """Whether an X server was there to be told; None: that of the environment. Takes about a millisecond.

    By a connection of its own: an answer on the window's could swallow what ``loop.py`` sleeps for.
    """
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    address = x11.XOpenDisplay(display.encode() if display else None)
    if not address:
        return False
    server = ctypes.c_void_p(address)
    x11.XSetScreenSaver(server, _NEVER, _NEVER, _AS_IT_IS, _AS_IT_IS)
    x11.XForceScreenSaver(server, _RESET)
    _power_on(x11, server)
    x11.XCloseDisplay(server)
    return True


def _power_on(x11: ctypes.CDLL, server: ctypes.c_void_p) -> None:
    """DPMS; disabling it switches a monitor on (xserver, Xext/dpms.c). A server without monitors has none of it."""
    numbers = [ctypes.c_int() for _ in range(3)]
    if x11.XQueryExtension(server, b"DPMS", *(ctypes.byref(one) for one in numbers)):
        ctypes.CDLL("libXext.so.6").DPMSDisable(server)
