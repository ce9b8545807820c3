"""Where the picture goes. Lit anew against a real X server here; turned, with fingers, in an emulated machine."""

import io
import json
import subprocess

import pytest
import trio

from kiosk.basics.log import JsonLog
from screens.outputs import (
    FINGERS,
    LOOK_S,
    Output,
    askew,
    keep_outputs,
    open_glass,
    outputs,
    pointers,
    set_outputs,
    socket_of,
)

PATIENCE_S = 60.0
TOLD = """Screen 0: minimum 320 x 200, current 1080 x 1920, maximum 16384 x 16384
Virtual-1 connected primary 1080x1920+0+0 left (normal left inverted right x axis y axis) 0mm x 0mm
   1920x1080     59.96*+
HDMI-1 disconnected (normal left inverted right x axis y axis)
DP-1 connected (normal left inverted right x axis y axis)
   1280x1024     60.02 +
DP-2 disconnected 800x600+0+0 inverted (normal left inverted right x axis y axis) 0mm x 0mm
"""
LEFT, DARK = Output("Virtual-1", True, True, "left"), Output("DP-1", True, False, "normal")


def test_every_plug_is_understood() -> None:
    """With and without a monitor, lit and dark, turned and not."""
    absent = [Output("HDMI-1", False, False, "normal"), Output("DP-2", False, True, "inverted")]
    assert outputs(TOLD) == [LEFT, absent[0], DARK, absent[1]]
    assert outputs("") == []


def test_only_what_is_dark_or_turned_otherwise_is_set() -> None:
    """A monitor that shows the picture as it hangs is left alone, and so is a plug without one."""
    assert askew(outputs(TOLD), "left") == ["DP-1"]
    assert askew(outputs(TOLD), "normal") == ["Virtual-1", "DP-1"]


def test_the_servers_own_pointers_are_not_turned() -> None:
    """Programs touch by positions of the picture, fingers by those of the panel."""
    told = (
        "⎡ Virtual core pointer                    \tid=2\t[master pointer  (3)]\n"
        "⎜   ↳ Virtual core XTEST pointer              \tid=4\t[slave  pointer  (2)]\n"
        "⎜   ↳ Maker's Panel 7                         \tid=9\t[slave  pointer  (2)]\n"
        "    ↳ Power Button                            \tid=6\t[slave  keyboard (3)]\n"
    )
    assert pointers(told) == ["9"]


@pytest.mark.parametrize(("turned", "corner"), [("left", (0.0, 1.0)), ("right", (1.0, 0.0)), ("inverted", (1.0, 1.0))])
def test_a_finger_meets_what_it_sees(turned: str, corner: tuple[float, float]) -> None:
    """The picture's first corner lies in ``corner`` of the panel, and a finger there comes out as the first corner."""
    a, b, c, d, e, f, *last = map(float, FINGERS[turned].split())
    u, v = corner
    assert (a * u + b * v + c, d * u + e * v + f) == (0.0, 0.0)
    assert last == [0.0, 0.0, 1.0]


def lit(display: str) -> bool:
    told = subprocess.run(["xrandr", "--display", display, "--current"], capture_output=True, text=True, check=True)
    (one,) = outputs(told.stdout)
    return one.lit


def switch_off(display: str) -> None:
    """As it is where no monitor was there when the server started. It cannot be a screen of no size, and says so."""
    subprocess.run(["xrandr", "--display", display, "--output", "screen", "--off"], check=False, capture_output=True)
    assert not lit(display)


async def test_a_dark_monitor_is_lit(x_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that came later than the server shows the picture, and what was done is noted; nothing is done twice."""
    monkeypatch.setenv("DISPLAY", x_server)
    log = io.StringIO()
    switch_off(x_server)
    for _ in range(2):
        await set_outputs("normal", JsonLog(log))
        assert lit(x_server)
    (line,) = log.getvalue().splitlines()
    assert json.loads(line) | {"at": ""} == {"at": "", "event": "monitor", "path": "screen", "how": "normal"}


async def test_it_is_looked_after_from_the_start(x_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A monitor that is dark when the kiosk starts is lit without anybody's doing."""
    monkeypatch.setenv("DISPLAY", x_server)
    switch_off(x_server)
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keep_outputs, "normal", JsonLog(io.StringIO()))
            while not lit(x_server):
                await trio.sleep(LOOK_S)
            nursery.cancel_scope.cancel()


async def test_without_an_x_server_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a display is no reason to end."""
    monkeypatch.delenv("DISPLAY", raising=False)
    noted: list[str] = []
    await set_outputs("left", lambda kind, **words: noted.append(kind))
    assert noted == []


async def test_a_server_that_comes_later_is_waited_for(x_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It starts beside the kiosk and tells nobody: as soon as it listens the monitor is lit."""
    monkeypatch.setenv("DISPLAY", x_server)
    switch_off(x_server)
    listens = socket_of(x_server)
    assert listens is not None
    hidden = listens.rename(listens.with_name(f"{listens.name}.not-yet"))
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(open_glass, "normal", JsonLog(io.StringIO()))
            await trio.sleep(0.3)
            waiting = len(nursery.child_tasks)
            hidden.rename(listens)
    assert waiting == 1
    assert lit(x_server)
