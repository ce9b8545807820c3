"""The palette's promises, the theme's zones, the city's colour."""

from itertools import combinations

import pytest

from kiosk.ports import Place
from screens.hands.fronts import FRONTS
from screens.palette import DAY, HIGH_CONTRAST, Palette, contrast, palette
from screens.theme import theme
from screens.widgets.brush import icon
from screens.widgets.icons import ICONS
from tests.screens.poses import SIZES

# ui-direction, section 1: pair and the contrast it computes.
PAIRS = [
    (DAY.ink, DAY.paper, 15.25), (DAY.ink, DAY.surface, 16.40), (DAY.ink, DAY.sunken, 13.72),
    (DAY.ink2, DAY.paper, 8.12), (DAY.ink2, DAY.surface, 8.73), (DAY.ink2, DAY.sunken, 7.30),
    (DAY.line, DAY.paper, 5.17), (DAY.line, DAY.surface, 5.57), (DAY.line, DAY.sunken, 4.65),
    (DAY.on_action, DAY.action, 9.27), (DAY.action, DAY.paper, 8.61), (DAY.action, DAY.sunken, 7.75),
    (DAY.on_action_down, DAY.action_down, 12.68), (DAY.ink, DAY.tint, 13.34), (DAY.action, DAY.tint, 7.54),
    (DAY.on_hands, DAY.hands, 10.20), (DAY.on_tone, DAY.done, 6.43), (DAY.done, DAY.paper, 5.97),
    (DAY.on_tone, DAY.stop, 7.52), (DAY.stop, DAY.paper, 6.99),
    (HIGH_CONTRAST.ink, HIGH_CONTRAST.paper, 18.45), (HIGH_CONTRAST.ink, HIGH_CONTRAST.surface, 16.03),
    (HIGH_CONTRAST.ink2, HIGH_CONTRAST.surface, 11.75), (HIGH_CONTRAST.line, HIGH_CONTRAST.surface, 6.01),
    (HIGH_CONTRAST.on_action, HIGH_CONTRAST.action, 12.80), (HIGH_CONTRAST.hands, HIGH_CONTRAST.paper, 11.47),
    (HIGH_CONTRAST.done, HIGH_CONTRAST.surface, 9.37), (HIGH_CONTRAST.stop, HIGH_CONTRAST.surface, 7.96),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "value"), PAIRS)
def test_each_pair_has_the_contrast_that_was_designed(one: str, other: str, value: float) -> None:
    """Every pair of the design's table computes to its figure."""
    assert contrast(one, other) == pytest.approx(value, abs=0.015)


def test_a_weak_colour_of_a_city_is_refused() -> None:
    """A city's action colour must reach 7 against white and paper; else the settings are wrong."""
    with pytest.raises(ValueError, match="below 7"):
        palette("#5B8DB8", high_contrast=False)
    with pytest.raises(ValueError, match="RRGGBB"):
        palette("navy", high_contrast=False)


def test_a_strong_colour_of_a_city_is_used() -> None:
    """A city may paint header and main button in its own dark colour, and only those."""
    own = palette("#5A1846", high_contrast=False)
    assert (own.action, own.header, own.paper) == ("#5A1846", "#5A1846", DAY.paper)
    assert contrast(own.on_action_down, own.action_down) > contrast(own.on_action, own.action)


@pytest.mark.parametrize("size", SIZES)
def test_zones_cover_the_glass_in_order(size: str) -> None:
    """Header, question, work, act and care follow each other from top to bottom."""
    zones = theme(*SIZES[size]).zones
    tops = [zone.y for zone in (zones.header, zones.question, zones.work, zones.act, zones.care)]
    assert tops == sorted(tops)
    assert zones.care.bottom == SIZES[size][1]


def test_a_high_hanging_glass_moves_its_work_down() -> None:
    """Nothing touchable stands above 1,220 mm; where the panel hangs higher the work zone starts lower."""
    hung = theme(1080, 1920, 0.370, 800)
    assert hung.low_reach
    assert hung.zones.work.y == 960
    assert 800 + (1920 - hung.zones.work.y) * 0.370 <= 1220


@pytest.mark.parametrize("colours", [DAY, HIGH_CONTRAST])
def test_marks_differ_without_colour(colours: Palette) -> None:
    """Done, caution and stop are told apart by their shapes alone: in one ink on one ground they stay different."""
    shapes = {name: icon(name, 96, "#FFFFFF", "#000000")[3::4] for name in ("done", "caution", "stop")}
    for one, other in combinations(shapes, 2):
        differing = sum(abs(a - b) > 128 for a, b in zip(shapes[one], shapes[other], strict=True))
        assert differing > 96 * 96 // 50, (one, other)
    assert contrast(colours.action, colours.surface) > 3
    assert contrast(colours.ink, colours.surface) > 3


def test_every_icon_is_drawn_inside_its_square() -> None:
    """No icon is empty, and none is cut at an edge."""
    for name in ICONS:
        alpha = icon(name, 48, "#000000", "#FFFFFF")[3::4]
        assert any(alpha), name
        corners = (alpha[0], alpha[47], alpha[-48], alpha[-1])
        assert not any(corners), name


@pytest.mark.parametrize("profile", FRONTS)
def test_every_place_is_on_every_front(profile: str) -> None:
    """A picture can send hands to any place, on any terminal."""
    assert set(FRONTS[profile].parts) == set(Place)
