"""Pixels: every question in every pose looks as it was last accepted, and drawing is repeatable."""

import pytest

from screens.compose import compose
from tests.screens.album import VARIANT, hashes, remembered
from tests.screens.poses import POSES, SIGN, SIZES, questions
from tests.screens.studio import fingerprint, photograph, versions

SHARES = 4


@pytest.mark.parametrize("share", [pytest.param(at, marks=[] if at == 0 else pytest.mark.slow) for at in range(SHARES)])
def test_pictures_are_as_accepted(share: int) -> None:
    """Each picture has its remembered hash; after a wanted change run ``python -m tests.screens.report --accept``."""
    then, known = remembered()
    if then != versions():
        pytest.fail(f"hashes.json was made with {then}, this machine has {versions()}: install those or accept anew")
    now = hashes(share, SHARES)
    changed = sorted(name for name, found in now.items() if known.get(name) != found)
    assert changed == [], "see them with: python -m tests.screens.report --base HEAD"


def test_every_picture_is_remembered_and_no_other() -> None:
    """One hash for every question in every pose."""
    names = {f"{name}-{pose.name}" for name in questions() if not VARIANT.search(name) for pose in POSES}
    assert remembered()[1].keys() == names, "run: python -m tests.screens.report --accept"


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
