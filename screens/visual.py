"""Which of the X server's visuals the window takes: one without depth and stencil, which a flat picture never reads.

Kivy asks for both, and Mesa's software renderer then keeps 8 MB for them and clears them with every frame. SDL takes a
visual by number from its environment instead. The numbers are the server's own, so it is asked (GLX 1.4 protocol,
GetVisualConfigs); that takes a millisecond, and no driver is loaded for it.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

SDL_NAME = "SDL_VIDEO_X11_WINDOW_VISUALID"
_TRUE_COLOUR = 4
_DEPTH_AND_CLASS = 0x4 | 0x8  # VisualDepthMask | VisualClassMask (Xutil.h)
# The first eighteen words of a visual are in this order; further ones are pairs of name and value.
_FIXED = 18
_CLASS, _RGBA, _DOUBLE, _STEREO, _DEPTH, _STENCIL = 1, 2, 11, 12, 14, 15
_COLOURS = slice(3, 6)
_SAMPLE_BUFFERS = 100_000  # GLX_SAMPLE_BUFFERS
Words = list[int]


class _VisualInfo(ctypes.Structure):
    """XVisualInfo (Xutil.h)."""

    _fields_ = (
        ("visual", ctypes.c_void_p),
        ("id", ctypes.c_ulong),
        ("screen", ctypes.c_int),
        ("depth", ctypes.c_int),
        ("kind", ctypes.c_int),
        ("masks", ctypes.c_ulong * 3),
        ("colours", ctypes.c_int),
        ("bits", ctypes.c_int),
    )


class _Reply(ctypes.Structure):
    """xcb_glx_get_visual_configs_reply_t (xcb/glx.h); ``visuals`` times ``words`` follow it."""

    _fields_ = (
        ("head", ctypes.c_uint8 * 8),
        ("visuals", ctypes.c_uint32),
        ("words", ctypes.c_uint32),
        ("pad", ctypes.c_uint8 * 16),
    )


def flat_visual() -> int | None:
    """The number of the first fitting visual; None where there is no X server, no GLX, or no such visual."""
    try:
        with _display() as display:
            usual = set(_usual_visuals(display))
            return next((words[0] for words in _configurations(display) if words[0] in usual and is_flat(words)), None)
    except OSError:
        return None


def is_flat(words: Words) -> bool:
    """Whether a visual has two buffers of eight bits a colour, and nothing else that costs memory."""
    more = dict(zip(words[_FIXED::2], words[_FIXED + 1 :: 2], strict=False))
    return (
        words[_CLASS] == _TRUE_COLOUR
        and bool(words[_RGBA] and words[_DOUBLE])
        and words[_COLOURS] == [8, 8, 8]
        and not any(words[7:_DOUBLE])  # the accumulation buffer
        and not (words[_STEREO] or words[_DEPTH] or words[_STENCIL])
        and not more.get(_SAMPLE_BUFFERS, 0)
    )


@contextmanager
def _display() -> Iterator[ctypes.c_void_p]:
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    address = x11.XOpenDisplay(None)
    if not address:
        raise OSError("no X server")
    display = ctypes.c_void_p(address)
    try:
        yield display
    finally:
        x11.XCloseDisplay(display)


def _usual_visuals(display: ctypes.c_void_p) -> list[int]:
    """Those of true colour in the root window's depth: others may have an alpha that a compositor would obey."""
    x11 = ctypes.CDLL("libX11.so.6")
    wanted = _VisualInfo(depth=x11.XDefaultDepth(display, x11.XDefaultScreen(display)), kind=_TRUE_COLOUR)
    count = ctypes.c_int()
    x11.XGetVisualInfo.restype = ctypes.POINTER(_VisualInfo)
    found = x11.XGetVisualInfo(display, ctypes.c_long(_DEPTH_AND_CLASS), ctypes.byref(wanted), ctypes.byref(count))
    numbers = [found[at].id for at in range(count.value)]
    x11.XFree(found)
    return numbers


def _configurations(display: ctypes.c_void_p) -> list[Words]:
    glx, bridge, libc = ctypes.CDLL("libxcb-glx.so.0"), ctypes.CDLL("libX11-xcb.so.1"), ctypes.CDLL(None)
    bridge.XGetXCBConnection.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(bridge.XGetXCBConnection(display))
    screen = ctypes.c_uint32(ctypes.CDLL("libX11.so.6").XDefaultScreen(display))
    ask, answer = glx.xcb_glx_get_visual_configs, glx.xcb_glx_get_visual_configs_reply
    ask.restype, answer.restype = ctypes.c_uint, ctypes.c_void_p
    address = answer(connection, ctypes.c_uint(ask(connection, screen)), None)
    if not address:
        return []
    head = _Reply.from_address(address)
    words = (ctypes.c_uint32 * (head.visuals * head.words)).from_address(address + ctypes.sizeof(_Reply))
    found = [list(words[at : at + head.words]) for at in range(0, len(words), head.words)]
    libc.free(ctypes.c_void_p(address))
    return found
