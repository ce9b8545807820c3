"""Pixels: every question in every pose looks as it was last accepted, and drawing is repeatable."""

import pytest

from screens.compose import compose
from tests.screens.album import hashes, layouts, remembered
from tests.screens.poses import POSES, SIGN, SIZES, questions
from tests.screens.studio import fingerprint, photograph, versions


def test_pictures_are_as_accepted() -> None:
    """Photographs have their remembered hashes; after a wanted change run ``tests.screens.report --accept``."""
    known = remembered()
    if known["versions"] != versions():
        pytest.fail(
            f"hashes.json was made with {known['versions']}, here is {versions()}: install those or accept anew"
        )
    now = hashes()
    changed = sorted(
        name for name in now.keys() | known["pictures"].keys() if now.get(name) != known["pictures"].get(name)
    )
    assert changed == [], "see them with: python -m tests.screens.report --base HEAD"


def test_layouts_are_as_accepted() -> None:
    """Every question in every pose is composed of the same items as when it was last accepted."""
    known, now = remembered()["layouts"], layouts()
    changed = sorted(name for name in now.keys() | known.keys() if now.get(name) != known.get(name))
    assert changed == [], "see them with: python -m tests.screens.report --base HEAD"


def test_a_layout_sees_a_colour_and_a_pixel() -> None:
    """The picture as data differs where its pixels would."""
    moment, theme = POSES[0].moment(questions()["menu"]), POSES[0].theme()
    one, other = (compose(at, theme, SIGN) for at in (moment, moment.changed(focus="answer:query")))
    assert repr(one) != repr(other)
    assert repr(one) == repr(compose(moment, theme, SIGN))


def test_the_same_picture_has_the_same_pixels() -> None:
    """Drawing twice gives equal pixels, whatever was drawn between."""
    asked, pose = questions(), POSES[0]
    picture = compose(pose.moment(asked["balance"]), pose.theme(), SIGN)
    first = fingerprint(photograph(picture, *SIZES[pose.size][:2]))
    photograph(compose(pose.moment(asked["menu"]), pose.theme(), SIGN), *SIZES[pose.size][:2])
    assert fingerprint(photograph(picture, *SIZES[pose.size][:2])) == first


def test_a_moved_item_changes_the_pixels() -> None:
    """The fingerprint sees a change as small as one other minute on the clock."""
    asked, pose = questions(), POSES[0]
    moment = pose.moment(asked["menu"])
    one, other = (
        fingerprint(photograph(compose(at, pose.theme(), SIGN), *SIZES[pose.size][:2]))
        for at in (moment, moment.changed(clock="10:25"))
    )
    assert one != other
