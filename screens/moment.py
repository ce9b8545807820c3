"""Everything a picture depends on beside the theme: the question and where the resident is in it."""

from dataclasses import dataclass, replace

from kiosk.domain.card import PinProgress
from kiosk.domain.text import Text, say
from kiosk.l10n import render
from kiosk.ports import Question, Waiting
from kiosk.ports.screen import Preferences

BLANK = Question("blank", say("{words}", words=""))


def asks_patience(question: Question) -> bool:
    """Whether whoever reads this page can only wait for another one."""
    return question is BLANK or isinstance(question.body, Waiting) or question.name == "getting_ready"


@dataclass(frozen=True)
class Moment:
    """``waited``: 0 nothing yet, 1 dots, 2 the sentence, 3 "a little longer". ``step`` moves dots and arrow."""

    question: Question
    preferences: Preferences
    clock: str = ""  # HH:MM
    page: int = 0
    progress: PinProgress | None = None
    amounts_shown: bool = True
    refused: str = ""  # value of the unavailable answer whose reason is shown
    focus: str = ""  # act of the target last used by key
    entry: str = ""  # digits typed so far, for a question whose body is ``Number``
    waited: int = 0
    step: int = 0
    seconds_left: int | None = None

    def words(self, text: Text) -> str:
        """``text`` in the language and privacy of the moment."""
        return render(text, self.preferences.language, hide_amounts=not self.amounts_shown)

    def changed(self, **changes: object) -> "Moment":
        return replace(self, **changes)  # type: ignore[arg-type]  # names are checked at the call
