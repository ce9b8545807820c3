"""Where the picture goes: every monitor is lit, the picture is turned as the panel hangs, and fingers with it.

An X server without a desktop lights what it finds when it starts, and turns nothing. A panel that was off then would
stay dark until somebody starts the terminal anew; and most upright panels are wide ones, hung on their side. Plugs are
noticed by the kernel's own lists, which cost nothing to look at; only then the X server is asked, by its own programs.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import trio

LOOK_S = 1.0
AFTER_A_CHANGE = 5  # looks: the server hears of a plug a little later than the kernel
TOOL_S_MAX = 30.0  # a server that has just begun takes questions long before it answers
SOCKETS = Path("/tmp/.X11-unix")  # noqa: S108 - where X servers listen; our unit puts a folder of its own there
SERVER_S_MAX, SERVER_LOOK_S = 60.0, 0.05
CONNECTORS, INPUTS = Path("/sys/class/drm"), Path("/dev/input")
AS_IT_IS = "normal"
# Of "Coordinate Transformation Matrix": from the panel's own unit square to that of the picture (xinput(1)).
FINGERS = {
    "left": "0 -1 1 1 0 0 0 0 1",
    "right": "0 1 0 -1 0 1 0 0 1",
    "inverted": "-1 0 1 0 -1 1 0 0 1",
}
_OUTPUT = re.compile(
    r"^(\S+) (connected|disconnected)(?: primary)?( \d+x\d+\+\d+\+\d+)?(?: (left|right|inverted))?(?: \(|$| \d+mm)",
    re.M,
)
_POINTER = re.compile(r"↳ (.*?)\s+id=(\d+)\s+\[slave  pointer", re.M)


@dataclass(frozen=True)
class Output:
    """A plug for a monitor, as ``xrandr`` tells of it."""

    name: str
    connected: bool
    lit: bool
    turned: str


def outputs(told: str) -> list[Output]:
    """What ``xrandr`` says."""
    return [
        Output(name, state == "connected", bool(area), turned or AS_IT_IS)
        for name, state, area, turned in _OUTPUT.findall(told)
    ]


def pointers(told: str) -> list[str]:
    """Numbers of what is touched, of ``xinput --list --short``; not the server's own, by which programs touch."""
    return [number for name, number in _POINTER.findall(told) if "XTEST" not in name]


async def open_glass(turned: str, log: Callable[..., None]) -> None:
    """Once the X server listens, which starts beside us and tells nobody: the glass is as the window shall find it. One
    that does not come is the window's to report."""
    listens = socket_of(os.environ.get("DISPLAY", ""))
    with trio.move_on_after(SERVER_S_MAX):
        while listens is not None and not listens.exists():  # noqa: ASYNC110 - a program that tells no event makes it
            await trio.sleep(SERVER_LOOK_S)
    await set_outputs(turned, log)


def socket_of(display: str) -> Path | None:
    """Where a server of this machine listens for ``DISPLAY``; None: there is no such server, or it is elsewhere."""
    found = re.fullmatch(r":(\d+)(?:\.\d+)?", display)
    return SOCKETS / f"X{found[1]}" if found else None


async def keep_outputs(turned: str, log: Callable[..., None]) -> NoReturn:
    """For as long as the process lives. ``log`` hears of each monitor that is lit or turned."""
    seen, looks = "", 1
    while True:
        if (now := _plugs()) != seen:
            seen, looks = now, AFTER_A_CHANGE
        if looks:
            looks -= 1
            await set_outputs(turned, log)
        await trio.sleep(LOOK_S)


async def set_outputs(turned: str, log: Callable[..., None]) -> None:
    """Once, for what is plugged in now. Nothing happens where there is no X server, or none of its programs."""
    for name in askew(outputs(await _told("xrandr", "--query")), turned):
        log("monitor", path=name, how=turned)
        await _told("xrandr", "--output", name, "--auto", "--pos", "0x0", "--rotate", turned)
    if turned in FINGERS:
        for number in pointers(await _told("xinput", "--list", "--short")):
            numbers = FINGERS[turned].split()
            await _told("xinput", "set-prop", number, "--type=float", "Coordinate Transformation Matrix", *numbers)


def askew(found: Iterable[Output], turned: str) -> list[str]:
    """Names of those that should show the picture and do not, or show it as it does not hang."""
    return [one.name for one in found if one.connected and not (one.lit and one.turned == turned)]


def _plugs() -> str:
    """What changes with every plug of a monitor or a touch panel, and with nothing else."""
    states = [(path.parent.name, _state(path)) for path in sorted(CONNECTORS.glob("*/status"))]
    return repr((states, sorted(path.name for path in INPUTS.glob("event*"))))


def _state(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return "gone"  # between the two looks, with the graphics card it belongs to


async def _told(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ""
    with trio.move_on_after(TOOL_S_MAX):
        done = await trio.run_process(command, capture_stdout=True, stderr=subprocess.DEVNULL, check=False)
        return done.stdout.decode(errors="replace")
    return ""
