"""The screen as services and the session see it. It knows nothing of cards, hosts or time-outs."""

from dataclasses import dataclass
from typing import Protocol

from kiosk.domain.card import PinProgress
from kiosk.ports.keys import PadKey
from kiosk.ports.questions import Question

# What `ask` returns, beside the values of answers, when the resident used the care bar's help button.
HELP = "help"


@dataclass(frozen=True)
class Preferences:
    """How this resident wants it; back to the terminal's defaults after every session."""

    language: str = "zh"  # "zh" | "en"
    large: bool = False
    contrast: bool = False
    spoken: bool = False
    amounts_hidden: bool = False
    dark: bool = False  # nothing is shown: whoever listens by headset needs no glass, and strangers read none


class Screen(Protocol):
    """Large, Speak, Contrast, language, paging and hiding amounts happen inside; only answers come out.

    The session supplies keys of the pad by ``key`` and reads ``activity`` for its time-outs.
    """

    @property
    def preferences(self) -> Preferences: ...

    @property
    def activity(self) -> float:
        """``trio.current_time()`` of the last touch or key."""
        ...

    async def ask(self, question: Question) -> str:
        """Show the question until it is answered by touch or key: the answer's value, or ``HELP``.

        A BACK answer returns its value too; the desk turns it into ``Back``. Cancelling leaves the picture standing
        until the next question, with every target dead.
        """
        ...

    def show(self, question: Question) -> None:
        """Show without waiting, e.g. while a device or a host works. Its answers are dead until it is asked."""
        ...

    def foresee(self, question: Question) -> None:
        """It will probably be asked soon: make ready what can be, while nobody waits for it. Nothing is shown."""
        ...

    def key(self, key: PadKey) -> None:
        """One key of the pad: chooses the answer of that number, pages, or acts on the care bar."""
        ...

    def stars(self, progress: PinProgress) -> None:
        """Digits typed so far, for a question whose body is ``Stars``."""
        ...

    def warn_idle(self, seconds_left: int | None) -> None:
        """Lay "Are you still there?" over the question, with one big button; None takes it away.

        A touch or key while it stands only extends the time and answers nothing.
        """
        ...

    def clear_session(self) -> None:
        """Default preferences again, nothing personal left on the picture or in memory."""
        ...
