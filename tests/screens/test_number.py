"""A number is typed by finger or pad, corrected, and given by the main answer alone."""

from dataclasses import replace
from pathlib import Path

import pytest
import trio
import trio.testing

from kiosk.ports import Number, PadKey, digits_given, number_given
from screens import acts
from screens.compose import compose
from screens.number.view import typed
from screens.pad import act_of
from screens.picture import Words
from tests.screens.poses import POSES, SIGN, Pose
from tests.screens.samples import samples
from tests.screens.test_screen_port import WAIT_S_MAX, standing

NUMBER = samples()["number"]
BODY = Number(digits_max=4)


def test_digits_are_kept_as_typed() -> None:
    """Leading noughts stay, the fifth of four is not taken, and correcting takes the last away."""
    entry = ""
    for digit in (0, 1, 2, 3, 4):
        entry = typed(entry, acts.of_digit(digit), BODY)
    assert entry == "0123"
    assert typed(entry, acts.CLEAR_DIGIT, BODY) == "012"
    assert typed("", acts.CLEAR_DIGIT, BODY) == ""


def test_a_given_number_is_the_main_answer() -> None:
    """Its value carries the digits and still finds the answer that gave it; other values are no numbers."""
    assert NUMBER.answer(number_given("0042")).value == "given"
    assert digits_given(number_given("0042")) == "0042"
    for value in ("given", "#", "#4a", "42"):
        with pytest.raises(ValueError, match="no number"):
            digits_given(value)
    with pytest.raises(LookupError):
        replace(NUMBER, body=samples()["menu"].body).answer("#42")


@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.name)
def test_every_digit_is_there_and_the_pads_keys_mean_them(pose: Pose) -> None:
    """Ten digits and one to correct, in every mode and size; nought is a digit here and not "say it again"."""
    picture = compose(pose.moment(NUMBER), pose.theme(), SIGN)
    assert {acts.of_digit(digit) for digit in range(10)} <= {target.act for target in picture.targets}
    assert act_of(PadKey.DIGIT_0, picture, "b", "m") == acts.of_digit(0)
    assert act_of(PadKey.CLEAR, picture, "b", "m") == acts.CLEAR_DIGIT
    assert act_of(PadKey.ENTER, picture, "b", "m") == "m"
    assert act_of(PadKey.HELP, picture, "b", "m") == acts.HELP


def test_the_number_is_seen_as_it_is_typed() -> None:
    """The field shows the digits."""
    pose = POSES[0]
    picture = compose(pose.moment(NUMBER).changed(entry="0042"), pose.theme(), SIGN)
    assert "0042" in [item.words for item in picture.items if isinstance(item, Words)]


async def test_the_screen_gives_what_was_typed(tmp_path: Path) -> None:
    """The green key without a digit gives nothing; after typing and correcting it gives what stands there."""
    async with standing(tmp_path) as (screen, _):
        given: list[str] = []

        async def ask() -> None:
            given.append(await screen.ask(NUMBER))

        with trio.fail_after(WAIT_S_MAX):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask)
                await trio.testing.wait_all_tasks_blocked()
                await trio.sleep(0.5)  # keys are not for a picture that has only just come
                screen.key(PadKey.ENTER)
                assert not given
                for key in (PadKey.DIGIT_4, PadKey.DIGIT_0, PadKey.DIGIT_7, PadKey.CLEAR, PadKey.ENTER):
                    screen.key(key)
        assert given == ["#40"]
