"""When a terminal may load and install: by wish, line, night and chance that is its own."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.rules.desired import Desired
from provisioning.rules.update_window import (
    Window,
    in_window,
    line_is_metered,
    may_install,
    may_load,
    next_begin,
    share_of,
)

DAY, NIGHT = datetime(2026, 11, 22, 13, tzinfo=UTC), datetime(2026, 11, 22, 4, tzinfo=UTC)
HOURS = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda told: f"{told[0]:02}:{told[1]:02}")
WINDOWS = st.builds(Window, begins=HOURS, ends=HOURS, spread_share=st.floats(0, 1))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda told: told.replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("wish", "now", "full_image", "metered", "why"),
    [
        ("forced", DAY, False, True, ""),
        ("attempt", DAY, False, False, "night"),
        ("attempt", NIGHT, False, True, ""),
        ("skip", NIGHT, False, False, "skip"),
        ("forced", NIGHT, True, True, "metered"),
        ("forced", NIGHT, True, None, "metered"),
        ("forced", DAY, True, False, ""),
        ("attempt", NIGHT, True, False, ""),
    ],
)
def test_loading(wish: str, now: datetime, full_image: bool, metered: bool | None, why: str) -> None:
    """Bundles come over any line, images over none that is, or may be, paid by the byte; attempt is for the night."""
    assert may_load(wish, now, Window(), 0.5, full_image, metered).why == why  # type: ignore[arg-type]  # a plain str


@pytest.mark.parametrize(
    ("wish", "maintenance", "now", "why"),
    [
        ("forced", "", DAY, ""),
        ("attempt", "", DAY, "night"),
        ("attempt", "", NIGHT, ""),
        ("attempt", "available", DAY, ""),
        ("forced", "unavailable", NIGHT, "maintenance"),
        ("skip", "available", NIGHT, "skip"),
    ],
)
def test_installing(wish: str, maintenance: str, now: datetime, why: str) -> None:
    """The server's window goes before our own hours, and a wish to skip before both."""
    assert may_install(wish, maintenance, now, Window(), 0.5).why == why  # type: ignore[arg-type]  # a plain str


@given(WINDOWS, MOMENTS, st.floats(0, 1, exclude_max=True))
def test_next_begin_is_in_the_window(window: Window, now: datetime, share: float) -> None:
    """It comes within a day, and a minute after it the window is open, unless nothing of it is left for this share."""
    begin = next_begin(now, window, share)
    assert now <= begin <= now + timedelta(days=1, minutes=1)
    long = (
        int(window.ends[:2]) * 60 + int(window.ends[3:]) - int(window.begins[:2]) * 60 - int(window.begins[3:])
    ) % 1440
    left = (long or 1440) * (1 - window.spread_share * share)
    if begin > now and left > 2:
        assert in_window(begin + timedelta(minutes=1), window, share)


def test_a_hall_does_not_load_at_one_moment() -> None:
    """A thousand terminals begin spread over the window; each always at its own moment."""
    shares = sorted(share_of(f"T{number:07}", "a release") for number in range(1000))
    assert share_of("T0000001", "a release") == share_of("T0000001", "a release")
    assert all(abs(share - number / 1000) < 0.08 for number, share in enumerate(shares))


@pytest.mark.parametrize(
    ("box", "place", "modem", "metered"),
    [
        (False, False, False, False),
        (False, None, None, False),
        (True, False, False, True),
        (False, True, False, True),
        (False, False, True, True),
        (True, None, None, True),
    ],
)
def test_who_says_that_a_line_is_metered_is_believed(
    box: bool, place: bool | None, modem: bool | None, metered: bool
) -> None:
    """The box, the city's word for the place, the machine: one of them is enough, and silence of the others is no word
    against it."""
    told = None if place is None else Desired(version=1, tenant="c", terminal_id="T1", settings={}, metered=place)
    assert line_is_metered(box, told, modem) is metered
