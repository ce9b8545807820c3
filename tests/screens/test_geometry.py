"""Every question, in every language, mode and size: large enough, in reach, readable, nothing cut or overlapping."""

import re
from collections.abc import Iterator
from itertools import combinations

import pytest

from kiosk.domain.card import CardIdentity, Holder, Sex
from kiosk.ports import Answer, Stars, Visit
from kiosk.questions import menu
from kiosk.session import SERVICES
from screens import acts
from screens.lines import NO_START
from screens.palette import contrast
from screens.picture import Panel, Picture, Words
from screens.speech.script import script
from screens.theme import EM_MIN_MM, Box, Theme
from tests.screens.poses import POSES, Pose, pages, questions

TARGET_MM_MIN = 15.0
MAIN_MM_MIN = 17.0
BETWEEN_MM_MIN = 1.3  # the narrowest gap of the care bar is 16 px upright; everything else stands wider
CONTRAST_MIN = 7.0
HAN = re.compile(r"[\u2e80-\u9fff]")


def _pictures(pose: Pose) -> Iterator[tuple[str, Picture]]:
    for name, question in questions().items():
        for moment, picture in pages(pose, question):
            yield f"{name} page {moment.page} refused {moment.refused!r} warned {moment.seconds_left}", picture


@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.name)
def test_every_target_is_large_enough_in_reach_and_apart(pose: Pose) -> None:
    """Targets are 15 mm high, main ones 17, below the reach line, on the glass and not glued to each other."""
    theme = pose.theme()
    for name, picture in _pictures(pose):
        for target in picture.targets:
            least = MAIN_MM_MIN if target.main else TARGET_MM_MIN
            assert target.box.h * theme.mm_per_px >= least, (name, target)
            assert target.box.w * theme.mm_per_px >= least, (name, target)
            assert target.box.y >= theme.touch_top, (name, target)
            assert _inside(target.box, Box(0, 0, theme.width, theme.height)), (name, target)
        for one, other in combinations(picture.targets, 2):
            apart = max(*_gaps(one.box, other.box))
            assert apart * theme.mm_per_px >= BETWEEN_MM_MIN, (name, one.act, other.act, apart)


@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.name)
def test_every_text_is_large_dark_and_whole(pose: Pose) -> None:
    """Text has 6.6 mm ems and contrast 7 on the ground it truly stands on, and no line is cut, long or badly begun."""
    theme = pose.theme()
    for name, picture in _pictures(pose):
        for words in _words(picture):
            assert words.size * theme.mm_per_px >= EM_MIN_MM, (name, words)
            assert words.ground == _ground(picture, words), (name, words)
            assert contrast(words.colour, words.ground) >= CONTRAST_MIN, (name, words)
            assert words.words[:1] not in NO_START, (name, words)
            assert words.box.w <= words.size * _line_ems(theme, words.words) + 1, (name, words)
            assert _inside(_ink(words), Box(0, 0, theme.width, theme.height)), (name, words)


@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.name)
def test_no_text_touches_another_or_leaves_its_target(pose: Pose) -> None:
    """A target's words stand inside it, other words outside every target, and no two words overlap."""
    for name, picture in _pictures(pose):
        boxes = {target.act: target.box for target in picture.targets}
        for words in _words(picture):
            if words.target:
                assert _inside(_ink(words), boxes[words.target]), (name, words)
            else:
                assert not any(_overlap(_ink(words), box) for box in boxes.values()), (name, words)
            after = picture.items[picture.items.index(words) :]
            assert not any(_overlap(_ink(words), item.box) for item in after if isinstance(item, Panel)), (name, words)
        for one, other in combinations(_words(picture), 2):
            assert not _overlap(_ink(one), _ink(other)), (name, one.words, other.words)


@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.name)
def test_header_and_care_bar_never_move(pose: Pose) -> None:
    """The five care targets stand in the same place on every screen."""
    care = {tuple(target for target in picture.targets if target.box.y >= pose.theme().zones.care.y)
            for _, picture in _pictures(pose)}  # fmt: skip
    assert len(care) == 1
    assert len(next(iter(care))) == 5


@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.name)
def test_pressed_targets_keep_their_contrast(pose: Pose) -> None:
    """What stands on a pressed target is as readable as before the press."""
    for name, picture in _pictures(pose):
        downs = {panel.target: panel.down[0] for panel in _panels(picture) if panel.down}
        for words in _words(picture):
            if words.target:
                assert contrast(words.down_colour, downs[words.target]) >= CONTRAST_MIN, (name, words)


def _words(picture: Picture) -> list[Words]:
    return [item for item in picture.items if isinstance(item, Words) and item.words]


def _panels(picture: Picture) -> list[Panel]:
    return [item for item in picture.items if isinstance(item, Panel)]


def _ground(picture: Picture, words: Words) -> str:
    """Fill of the last panel drawn under the middle of the words."""
    middle = (words.box.x + words.box.w // 2, words.box.y + words.box.h // 2)
    before = picture.items[: picture.items.index(words)]
    under = [item for item in before if isinstance(item, Panel) and item.box.contains(*middle)]
    return under[-1].fill if under else picture.ground


def _line_ems(theme: Theme, words: str) -> float:
    return theme.line_chars if HAN.search(words) else theme.line_chars * 1.6


def _ink(words: Words) -> Box:
    """The em box of the line: its line height may be larger than what is drawn."""
    return Box(words.box.x, words.box.y + (words.box.h - words.size) // 2, words.box.w, words.size)


def _gaps(one: Box, other: Box) -> tuple[int, int]:
    return max(one.x - other.right, other.x - one.right), max(one.y - other.bottom, other.y - one.bottom)


def _overlap(one: Box, other: Box) -> bool:
    return max(*_gaps(one, other)) < 0


def _inside(box: Box, outer: Box) -> bool:
    return box.x >= outer.x and box.y >= outer.y and box.right <= outer.right and box.bottom <= outer.bottom


@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.name)
def test_no_digit_is_offered_while_digits_are_the_pin(pose: Pose) -> None:
    """Beside a PIN entry no answer shows a number, and the voice names none: who obeyed would spend a try on it."""
    asked = {name: question for name, question in questions().items() if isinstance(question.body, Stars)}
    assert asked
    for name, question in asked.items():
        for moment, picture in pages(pose, question):
            assert [target.key for target in picture.targets if target.key >= 0] == [], name
            said = {utterance.msgid for utterance in script(moment, picture)}
            assert not said & {"Press {key} for {answer}.", "Press 0 to hear this again."}, name


@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.name)
def test_menu_begins_with_its_tiles(pose: Pose) -> None:
    """No page of words stands before the services, whoever is greeted and however large the type."""
    for name in ("王秀兰", "SAMPLE MARIA JOSEFINA", ""):
        tiles = tuple(Answer(entry.name, entry.label, icon=entry.icon) for entry in SERVICES)
        visit = Visit(CardIdentity(b"", "", "2.00", None, None, b""), Holder(name, "", Sex.UNKNOWN, "", None), "")
        _, picture = next(iter(pages(pose, menu(visit, tiles))))
        assert picture.target(acts.of_answer(SERVICES[0].name)), name
