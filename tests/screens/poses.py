"""Every picture that is tested: a question in a language, a mode and a size, on one of its pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from kiosk.ports import Question
from kiosk.ports.screen import Preferences
from kiosk.settings.config import City, Terminal
from screens.compose import compose
from screens.frame.header import Sign
from screens.moment import Moment
from screens.picture import Picture
from screens.theme import Theme, theme
from tests.screens.lives import one_of_each
from tests.screens.pages import pages as pages_of_the_house
from tests.screens.samples import samples

PORTRAIT = (1080, 1920, 0.248, 900)
LANDSCAPE = (1280, 800, 0.170, 900)
SIZES = {"portrait": PORTRAIT, "landscape": LANDSCAPE}
HIGH_HUNG = (1080, 1920, 0.370, 800)  # a 32 inch panel: its work zone begins lower
MODES = {"normal": (False, False), "large": (True, False), "contrast": (False, True)}
LANGUAGES = ("zh", "en")
SIGN = Sign(City(), Terminal())
PAGES_MAX = 40


@dataclass(frozen=True)
class Pose:
    """How a question is looked at."""

    size: str
    mode: str
    language: str

    @property
    def name(self) -> str:
        return f"{self.size}-{self.mode}-{self.language}"

    def theme(self) -> Theme:
        large, contrast = MODES[self.mode]
        return theme(*(SIZES | {"high": HIGH_HUNG})[self.size], large, contrast)

    def moment(self, question: Question) -> Moment:
        large, contrast = MODES[self.mode]
        wish = Preferences(language=self.language, large=large, contrast=contrast)
        return Moment(question, wish, clock="10:24", waited=3)


POSES = [Pose(size, mode, language) for size in SIZES for mode in MODES for language in LANGUAGES]
LOW = [Pose("high", mode, language) for mode in ("normal", "large") for language in LANGUAGES]


def pages(pose: Pose, question: Question) -> Iterator[tuple[Moment, Picture]]:
    """Every page of the question, and its first answer refused where one is unavailable."""
    theme, moment = pose.theme(), pose.moment(question)
    picture = compose(moment, theme, SIGN)
    assert picture.pages <= PAGES_MAX
    for page in range(picture.pages):
        turned = moment.changed(page=page)
        yield turned, compose(turned, theme, SIGN)
        for answer in question.answers:
            if answer.unavailable:
                refused = turned.changed(refused=answer.value)
                yield refused, compose(refused, theme, SIGN)
    warned = moment.changed(seconds_left=20)
    yield warned, compose(warned, theme, SIGN)


@cache
def questions() -> dict[str, Question]:
    """Samples, pages of the house with the hardest values, and of every other name the first page that was lived."""
    built = pages_of_the_house()
    names = {question.name for question in built.values()}
    lived = {key: question for key, question in one_of_each().items() if question.name not in names}
    return {**samples(), **built, **lived}
