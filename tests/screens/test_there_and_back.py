"""Language, size, contrast, hiding: switched at any moment and switched back, every page is as it was, to the pixel."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.domain.card import PinProgress, PinPrompt
from kiosk.ports import Figures, PadKey, Preferences
from screens.compose import compose
from screens.moment import Moment
from screens.palette import rgb
from screens.theme import theme
from tests.screens.poses import HIGH_HUNG, PORTRAIT, SIGN, SIZES, questions
from tests.screens.samples import samples
from tests.screens.studio import fingerprint, photograph
from tests.screens.test_screen_port import standing

SWITCHES = (PadKey.LANGUAGE, PadKey.LARGE, PadKey.CONTRAST)
WISHES = st.builds(Preferences, language=st.sampled_from(["zh", "en"]), large=st.booleans(), contrast=st.booleans())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(questions())), WISHES, st.lists(WISHES, max_size=4), st.sampled_from([*SIZES, "high"]))
def test_a_page_depends_on_nothing_that_was(name: str, wish: Preferences, before: list[Preferences], size: str) -> None:
    """Whatever was looked at before, in whatever look, the picture is the same: nothing is kept between pages."""
    glass = (SIZES | {"high": HIGH_HUNG})[size]
    question = questions()[name]

    def seen(look: Preferences) -> object:
        return compose(Moment(question, look, "10:24"), theme(*glass, look.large, look.contrast), SIGN)

    first = seen(wish)
    for look in before:
        seen(look)
    assert seen(wish) == first


@pytest.mark.parametrize("key", SWITCHES)
async def test_every_page_comes_back_as_it_was(tmp_path: Path, key: PadKey) -> None:
    """By the resident's own keys on the running screen, on every page: once is another picture, twice is the first."""
    async with standing(tmp_path) as (screen, _):
        for name, question in samples().items():
            screen.clear_session()
            screen.show(question)
            if key is PadKey.LARGE and isinstance(question.body, Figures):
                screen.key(PadKey.HIDE)  # large type begins hidden, and so it stays
            first = unfocused(screen)
            screen.key(key)
            assert unfocused(screen) != first, name
            screen.key(key)
            assert unfocused(screen) == first, name


@pytest.mark.parametrize("key", [*SWITCHES, PadKey.SPEAK])
async def test_a_switch_in_the_middle_of_a_pin_loses_no_star(tmp_path: Path, key: PadKey) -> None:
    """Four digits typed, the look switched there and back: the pixels of before, four stars all along."""
    async with standing(tmp_path) as (screen, _):
        screen.show(samples()["pin"])
        screen.stars(PinProgress(PinPrompt.NEW, 4))
        first = pixels(screen.picture)
        screen.key(key)
        typed = [item for item in screen.picture.items if getattr(item, "name", "") == "digit_typed"]
        assert len(typed) == 4
        screen.key(key)
        assert pixels(unfocused(screen)) == first


async def test_hiding_amounts_comes_back_too(tmp_path: Path) -> None:
    """Hidden and shown again by the key, on every page with figures."""
    async with standing(tmp_path) as (screen, _):
        for name, question in samples().items():
            if not isinstance(question.body, Figures) or not question.body.secret:
                continue
            screen.show(question)
            first = screen.picture
            screen.key(PadKey.HIDE)
            assert screen.picture != first, name
            screen.key(PadKey.HIDE)
            assert unfocused(screen) == first, name


def unfocused(screen) -> object:  # type: ignore[no-untyped-def]
    """The picture without the ring around the target that a key used last."""
    return compose(screen._moment.changed(focus=""), screen._make_theme(), screen._sign)


def pixels(picture) -> str:  # type: ignore[no-untyped-def]
    return fingerprint(photograph(picture, *PORTRAIT[:2]))


def test_pixels_tell_pictures_apart() -> None:
    """The comparison above would see one other pixel."""
    moment = Moment(samples()["pin"], Preferences(), "10:24")
    one, other = (compose(look, theme(*PORTRAIT), SIGN) for look in (moment, moment.changed(clock="10:25")))
    assert pixels(one) != pixels(other)
    assert rgb("#FFFFFF") == (1, 1, 1)
