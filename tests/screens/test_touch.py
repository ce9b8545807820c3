"""Fingers that tremble and keys of the pad give the same answers."""

import pytest

from kiosk.ports import PadKey
from screens import acts
from screens.pad import act_of
from screens.picture import Picture, Target
from screens.theme import Box
from screens.touch import ECHO_S, SETTLE_S, SLOP_PX, Touch

FIRST = Target("answer:a", Box(100, 100, 200, 80), key=1)
SECOND = Target("answer:b", Box(100, 300, 200, 80), key=2)
NEXT = Target(acts.NEXT, Box(100, 500, 200, 80))
PICTURE = Picture("#FFFFFF", (), (FIRST, SECOND, NEXT))
LATER = 10.0


def _tap(touch: Touch, down: tuple[float, float], up: tuple[float, float], now: float) -> str:
    touch.down(PICTURE, *down, now)
    return touch.up(*up, now + 0.05)


def test_fires_on_release_inside() -> None:
    """A target answers when the finger leaves it, not when it comes."""
    touch = Touch()
    assert touch.down(PICTURE, 150, 120, LATER) == "answer:a"
    assert touch.up(150, 120, LATER) == "answer:a"


@pytest.mark.parametrize(("away", "fires"), [(SLOP_PX - 1, "answer:a"), (SLOP_PX + 1, "")])
def test_forgives_a_slip_of_32_px(away: int, fires: str) -> None:
    """A release up to 32 px beside the target counts; farther away it takes the touch back."""
    assert _tap(Touch(), (290, 120), (300 + away, 120), LATER) == fires


def test_deaf_after_a_change_of_screen() -> None:
    """For 400 ms after a change touches are not for this screen."""
    touch = Touch()
    touch.screen_changed(LATER)
    assert _tap(touch, (150, 120), (150, 120), LATER + SETTLE_S - 0.1) == ""
    assert _tap(touch, (150, 120), (150, 120), LATER + SETTLE_S + 0.1) == "answer:a"


def test_an_echo_is_one_touch() -> None:
    """A second touch on the same target within 500 ms is the same touch; on another target it is a new one."""
    touch = Touch()
    assert _tap(touch, (150, 120), (150, 120), LATER) == "answer:a"
    assert _tap(touch, (150, 120), (150, 120), LATER + 0.3) == ""
    assert _tap(touch, (150, 320), (150, 320), LATER + 0.4) == "answer:b"
    assert _tap(touch, (150, 320), (150, 320), LATER + 0.5 + ECHO_S) == "answer:b"


def test_a_release_without_a_press_is_nothing() -> None:
    """A finger that came down elsewhere answers nothing here."""
    assert Touch().up(150, 120, LATER) == ""
    assert _tap(Touch(), (5, 5), (150, 120), LATER) == ""


@pytest.mark.parametrize(
    ("key", "act"),
    [
        (PadKey.DIGIT_1, "answer:a"),
        (PadKey.DIGIT_2, "answer:b"),
        (PadKey.DIGIT_3, ""),
        (PadKey.ENTER, "answer:main"),
        (PadKey.CANCEL, "answer:back"),
        (PadKey.DIGIT_0, acts.REPEAT),
        (PadKey.POINT, acts.NEXT),
        (PadKey.NEXT, acts.NEXT),
        (PadKey.CLEAR, ""),
        (PadKey.HELP, acts.HELP),
        (PadKey.DOUBLE_ZERO, acts.HELP),
        (PadKey.LARGE, acts.LARGE),
        (PadKey.SPEAK, acts.SPEAK),
        (PadKey.CONTRAST, acts.CONTRAST),
        (PadKey.LANGUAGE, acts.LANGUAGE),
        (PadKey.HIDE, acts.HIDE),
    ],
)
def test_keys_do_what_fingers_do(key: PadKey, act: str) -> None:
    """Every key stands for one act of the picture, or for nothing."""
    assert act_of(key, PICTURE, back="answer:back", main="answer:main") == act


def test_the_green_key_turns_pages_where_there_is_no_main_answer() -> None:
    """A pad without function keys can still read on."""
    assert act_of(PadKey.ENTER, PICTURE, back="", main="") == acts.NEXT
