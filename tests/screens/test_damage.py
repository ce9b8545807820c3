"""Drawing only what changed: the glass ends up as if it had been drawn whole."""

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from screens.compose import compose
from screens.damage import MARGIN_PX, Damage, changed_items, extent
from screens.moment import Moment
from screens.palette import rgb
from screens.picture import Picture
from screens.theme import Box
from simulators.display import read_xwd
from tests.screens.poses import POSES, SIGN, SIZES, questions
from tests.screens.studio import fingerprint, open_window, photograph, upright
from tests.screens.test_kiosk_screen import Resident

POSE = POSES[0]
WIDE, HIGH = SIZES[POSE.size][:2]
WAIT_S_MAX = 10.0
REST_S = 1.0
CLOCK_PX = 72  # height of the header
_CHANGES: tuple[tuple[str, dict[str, object]], ...] = (
    ("menu", {"clock": "10:25"}),
    ("menu", {"refused": "bill"}),
    ("menu", {"focus": "answer:pin"}),
    ("menu", {"seconds_left": 20}),
    ("balance", {"amounts_shown": False}),
    ("attract", {"step": 1}),
)


def picture_of(moment: Moment) -> Picture:
    return compose(moment, POSE.theme(), SIGN)


def partly(before: Picture, after: Picture, box: Box) -> Image.Image:
    """``after`` drawn over the pixels of ``before``, in ``box`` alone."""
    open_window()
    from kivy.graphics import ClearBuffers, ClearColor, Fbo
    from kivy.graphics.opengl import GL_SCISSOR_TEST, glDisable, glEnable, glScissor

    from screens.painter import Painter

    painter, fbo = Painter(HIGH), Fbo(size=(WIDE, HIGH))
    for part in (ClearColor(*rgb(before.ground), 1), ClearBuffers(), painter.group):
        fbo.add(part)
    painter.paint(before)
    fbo.draw()
    painter.paint(after)
    glEnable(GL_SCISSOR_TEST)
    glScissor(box.x, HIGH - box.bottom, box.w, box.h)
    fbo.draw()
    glDisable(GL_SCISSOR_TEST)
    return upright(bytes(fbo.pixels), WIDE, HIGH)


@pytest.mark.parametrize(("name", "changes"), _CHANGES)
def test_the_damaged_part_is_enough(name: str, changes: dict[str, object]) -> None:
    """Drawn in the damaged part alone, the next picture has every pixel of a whole drawing."""
    moment = POSE.moment(questions()[name])
    before, after = picture_of(moment), picture_of(moment.changed(**changes))
    damage = Damage()
    damage.take()
    for item in changed_items(before, after) or []:
        damage.add(extent(item))
    box = damage.take()
    assert box is not None
    assert fingerprint(partly(before, after, box)) == fingerprint(photograph(after, WIDE, HIGH))


def test_a_minute_damages_only_the_clock() -> None:
    """The header's clock is what changes with time, and less than a twentieth of the glass is drawn for it."""
    moment = POSE.moment(questions()["menu"])
    changed = changed_items(picture_of(moment), picture_of(moment.changed(clock="10:25")))
    assert changed
    assert sum(extent(item).w * extent(item).h for item in changed) < WIDE * HIGH / 20


def test_another_ground_or_order_damages_everything() -> None:
    """What lies above what is part of a picture, and so is the colour between the items."""
    picture = picture_of(POSE.moment(questions()["menu"]))
    assert changed_items(picture, picture) == []
    assert changed_items(picture, replace(picture, ground="#000000")) is None
    assert changed_items(picture, replace(picture, items=picture.items[::-1])) is None


def test_a_frame_that_nobody_explained_is_drawn_whole() -> None:
    """The first frame, one after ``add_all``, and one that Kivy asked for by itself."""
    damage = Damage()
    damage.add(Box(1, 2, 3, 4))
    assert damage.take() is None
    damage.add(Box(0, 0, 10, 10))
    damage.add(Box(20, 30, 10, 10))
    assert damage.take() == Box(0, 0, 30, 40)
    assert damage.take() is None


@pytest.fixture
def frame_buffer(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A private X server whose pixels are in a file."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen([*command, "-fbdir", str(tmp_path)], pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as numbers:
            yield f":{int(numbers.readline())}", tmp_path / "Xvfb_screen0"
    finally:
        server.terminate()
        server.wait(WAIT_S_MAX)


def settled(frames: Path) -> Image.Image:
    """What stands on the glass below the clock, once it does not change any more."""
    end = time.monotonic() + WAIT_S_MAX
    last, since = b"", time.monotonic()
    while time.monotonic() < end:
        now = frames.read_bytes()
        if now != last:  # also a new minute
            last, since = now, time.monotonic()
        elif time.monotonic() - since > REST_S:
            picture = read_xwd(now)
            picture.paste((0, 0, 0), (0, 0, picture.width, CLOCK_PX))
            return picture
        time.sleep(0.05)
    raise AssertionError("the picture does not come to rest")


def test_a_press_that_slides_away_leaves_no_trace(frame_buffer: tuple[str, Path], tmp_path: Path) -> None:
    """On a real X server a pressed tile changes nothing beyond itself, and is as before when the finger left it."""
    display, frames = frame_buffer
    resident = Resident(display, tmp_path / "run", ["menu"])
    try:
        x, y, wide, high = resident.box("menu", "query")
        before = settled(frames)
        _xdotool(display, "mousemove", str(x + wide // 2), str(y + high // 2), "mousedown", "1")
        changed = ImageChops.difference(before, settled(frames)).getbbox()
        assert changed is not None
        left, top, right, bottom = changed
        assert left >= x - MARGIN_PX and right <= x + wide + MARGIN_PX
        assert top >= y - MARGIN_PX and bottom <= y + high + MARGIN_PX
        _xdotool(display, "mousemove", "640", "100", "mouseup", "1")
        after = settled(frames)
    finally:
        resident.process.kill()
        resident.process.wait(WAIT_S_MAX)
    assert after.tobytes() == before.tobytes()


def _xdotool(display: str, *words: str) -> None:
    subprocess.run(["xdotool", *words], env={**os.environ, "DISPLAY": display}, check=True, timeout=WAIT_S_MAX)
