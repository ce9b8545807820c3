"""Every question, in every language, mode and size: large enough, in reach, readable, nothing cut or squeezed."""

import pytest

from kiosk.domain.card import CardIdentity, Holder, Sex
from kiosk.l10n import render
from kiosk.ports import Answer, Question, Stars, Tiles, Visit
from kiosk.visit.catalogue import SERVICES
from kiosk.visit.questions import menu
from screens import acts
from screens.speech.script import script
from tests.screens.judge import complaints, said
from tests.screens.lives import lived
from tests.screens.poses import LOW, POSES, Pose, pages, questions

QUICK = (POSES[1], POSES[8])  # of the variants that visits bring; one picture of each name is judged in every pose
SLOW = [pose for pose in POSES if pose not in QUICK]


@pytest.mark.parametrize("pose", [*POSES, *LOW], ids=lambda pose: pose.name)
def test_every_picture_keeps_every_rule(pose: Pose) -> None:
    """No rule of ``judge`` has anything to say, on any page, refused answer or idle warning."""
    assert _complaints(pose, questions()) == []


@pytest.mark.parametrize(
    "pose",
    [*QUICK, *(pytest.param(pose, marks=pytest.mark.slow) for pose in (*SLOW, *LOW))],
    ids=lambda pose: pose.name,
)
def test_every_lived_page_keeps_every_rule(pose: Pose) -> None:
    """Every variant of a page that residents and staff met in lived visits."""
    assert _complaints(pose, lived()) == []


def _complaints(pose: Pose, asked: dict[str, Question]) -> list[str]:
    theme = pose.theme()
    return [
        f"{name} page {moment.page} refused {moment.refused!r} warned {moment.seconds_left}: {what}"
        for name, question in asked.items()
        for moment, picture in pages(pose, question)
        for what in complaints(theme, picture)
    ]


@pytest.mark.parametrize("pose", [*POSES, *LOW], ids=lambda pose: pose.name)
def test_everything_can_be_answered(pose: Pose) -> None:
    """Every answer has a target on some page."""
    for name, question in {**questions(), **lived()}.items():
        seen = {target.act for _, picture in pages(pose, question) for target in picture.targets}
        assert {acts.of_answer(answer.value) for answer in question.answers} <= seen, name


@pytest.mark.parametrize("pose", [*POSES, *LOW], ids=lambda pose: pose.name)
def test_every_sentence_is_shown(pose: Pose) -> None:
    """All of heading and explanation stands on some page; a choice alone may leave its explanation to the voice."""
    for name, question in questions().items():
        shown = "".join(_bare(one.words) for _, picture in pages(pose, question) for one in said(picture))
        texts = [question.heading] if isinstance(question.body, Tiles) else [question.heading, *question.explain]
        for text in texts:
            assert _bare(render(text, pose.language)) in shown, (name, render(text, pose.language))


def _bare(words: str) -> str:
    """What survives the breaking of lines."""
    return "".join(words.split())


@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.name)
def test_header_and_care_bar_never_move(pose: Pose) -> None:
    """The five care targets stand in the same place on every screen."""
    care = {
        tuple(target for target in picture.targets if target.box.y >= pose.theme().zones.care.y)
        for question in questions().values()
        for _, picture in pages(pose, question)
    }
    assert len(care) == 1
    assert len(next(iter(care))) == 5


@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.name)
def test_no_digit_is_offered_while_digits_are_the_pin(pose: Pose) -> None:
    """Beside a PIN entry no answer shows a number, and the voice names none: who obeyed would spend a try on it."""
    asked = {name: question for name, question in questions().items() if isinstance(question.body, Stars)}
    assert asked
    for name, question in asked.items():
        for moment, picture in pages(pose, question):
            assert [target.key for target in picture.targets if target.key >= 0] == [], name
            heard = {utterance.msgid for utterance in script(moment, picture)}
            assert not heard & {"Press {key} for {answer}.", "Press 0 to hear this again."}, name


@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.name)
def test_menu_begins_with_its_tiles(pose: Pose) -> None:
    """No page of words stands before the services, whoever is greeted and however large the type."""
    for name in ("王秀兰", "SAMPLE MARIA JOSEFINA", ""):
        tiles = tuple(Answer(entry.name, entry.label, icon=entry.icon) for entry in SERVICES)
        visit = Visit(CardIdentity(b"", "", "2.00", None, None, b""), Holder(name, "", Sex.UNKNOWN, "", None), "")
        _, picture = next(iter(pages(pose, menu(visit, tiles))))
        assert picture.target(acts.of_answer(SERVICES[0].name)), name
