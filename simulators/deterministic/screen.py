"""The screen port without a screen: a question goes to whoever stands there, and keys of the real pad answer it too."""

from collections.abc import Awaitable, Callable

import trio

from kiosk.domain.card import PinProgress
from kiosk.ports import Number, PadKey, Preferences, Question, Role

Mind = Callable[[Question], Awaitable[str]]  # may take its time, and may never answer
NUMBERED = (Role.TILE, Role.ROW, Role.SECOND)
BY_KEY = {PadKey.ENTER: Role.MAIN, PadKey.CANCEL: Role.BACK}


class MindedScreen:
    """Implements ``ports.Screen``. ``standing`` is the page that can be seen now; ``told`` every page so far."""

    def __init__(self, mind: Mind) -> None:
        self.preferences = Preferences()
        self.activity = 0.0
        self.standing: Question | None = None
        self.told: list[str] = []
        self.warned = False
        self.changed = trio.Event()  # another page stands; a new event for each
        self._mind = mind
        self._asking: trio.CancelScope | None = None
        self._value = ""

    async def ask(self, question: Question) -> str:
        """Whoever stands there thinks in this very task; a key of the pad is quicker sometimes."""
        self._stand(question)
        with trio.CancelScope() as thinking:
            self._asking = thinking
            try:
                self._value = await self._mind(question)
            finally:
                self._asking = None
        self.activity = trio.current_time()
        return self._value

    def show(self, question: Question) -> None:
        self._stand(question)

    def key(self, key: PadKey) -> None:
        self.activity = trio.current_time()
        if self.standing is None:
            return
        answers = [one for one in self.standing.answers if one.unavailable is None]
        if isinstance(self.standing.body, Number) and key is not PadKey.CANCEL:
            return  # digits belong to the number, and nobody here types one to its end by hand
        numbered = [one for one in self.standing.answers if one.role in NUMBERED]
        chosen = [one for one in answers if one.role is BY_KEY.get(key)]
        if key.digit and key.digit <= len(numbered):
            chosen = [one for one in [numbered[key.digit - 1]] if one in answers]
        if chosen:
            self._give(chosen[0].value)

    def foresee(self, question: Question) -> None:
        assert question.name, "nothing is drawn here, so nothing is made ready"

    def stars(self, progress: PinProgress) -> None:
        self.activity = trio.current_time()

    def warn_idle(self, seconds_left: int | None) -> None:
        self.warned = seconds_left is not None

    def clear_session(self) -> None:
        self.preferences = Preferences()

    def _stand(self, question: Question) -> None:
        self.standing = question
        self.told.append(question.name)
        self.changed.set()
        self.changed = trio.Event()

    def _give(self, value: str) -> None:
        """Too late, or nothing was asked: then it is nothing."""
        if self._asking is not None:
            self._value = value
            self._asking.cancel()
