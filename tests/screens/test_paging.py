"""How much stands on a page: a menu of ten on both glasses, and figures before words that do not fit."""

import pytest

from kiosk.ports import Figures, Role
from screens import acts
from screens.compose import compose
from screens.picture import Picture
from tests.screens.poses import LOW, POSES, SIGN, Pose, questions
from tests.screens.samples import samples

TEN = samples()["many"]
TILES = [acts.of_answer(answer.value) for answer in TEN.answers if answer.role is Role.TILE]
poses = pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.name)


def pages_of(pose: Pose) -> list[Picture]:
    theme, moment = pose.theme(), pose.moment(TEN)
    first = compose(moment, theme, SIGN)
    return [compose(moment.changed(page=page), theme, SIGN) for page in range(first.pages)]


@poses
def test_a_menu_of_ten_fills_its_pages(pose: Pose) -> None:
    """Six tiles a page, four in large type (ui-direction 3), also where pages are turned; each tile once, in order."""
    shown = [[target.act for target in page.targets if target.act in TILES] for page in pages_of(pose)]
    full = 4 if pose.mode == "large" else 6
    assert [act for page in shown for act in page] == TILES
    assert [len(page) for page in shown[:-1]] == [full] * (len(shown) - 1)


@poses
def test_pages_of_a_menu_turn_beside_the_way_back(pose: Pose) -> None:
    """The buttons stand in the act zone, right of the way back; nothing leads before the first or behind the last."""
    zone, pictures = pose.theme().zones.act, pages_of(pose)
    for number, picture in enumerate(pictures):
        turning = {one.act: one.box for one in picture.targets if one.act in (acts.PREVIOUS, acts.NEXT)}
        assert (acts.PREVIOUS in turning, acts.NEXT in turning) == (number > 0, number < len(pictures) - 1)
        assert all(zone.y <= box.y and box.bottom <= zone.bottom for box in turning.values())
        assert all(box.x >= zone.x + pose.theme().sizes.button[0] for box in turning.values())


@pytest.mark.parametrize("pose", [*POSES, *LOW], ids=lambda pose: pose.name)
def test_the_first_page_of_figures_shows_figures(pose: Pose) -> None:
    """Who is asked to agree to an amount sees it at once, however long the explanation is."""
    theme, asked = pose.theme(), {name: one for name, one in questions().items() if isinstance(one.body, Figures)}
    assert len(asked) > 10
    bare = [name for name, one in asked.items() if not compose(pose.moment(one), theme, SIGN).figures]
    assert bare == []
