"""The glass of a kiosk in memory, and the resident before it, who answers by a script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from kiosk.domain.card import PinProgress
from kiosk.ports import HELP, Number, PadKey, Preferences, Question, Role, digits_given

if TYPE_CHECKING:
    from tests.flows.people import KioskInMemory

WALKS_AWAY = "walks away"
PULLS_CARD = "pulls the card"


class ScriptedScreen:
    """Answers each question by its name; an answer may be a value, a list of values, or what the resident does."""

    def __init__(self, script: dict[str, Any], world: KioskInMemory) -> None:
        self.preferences = Preferences()
        self.asked: list[Question] = []
        self.shown: list[Question] = []
        self.progress: list[PinProgress] = []
        self.warnings: list[int] = []
        self.foreseen: list[Question] = []
        self.activity = 0.0
        self._script = script
        self._world = world
        self._keyed: trio.Event = trio.Event()
        self._keyed_value = ""

    async def ask(self, question: Question) -> str:
        self.asked.append(question)
        answer = self._script.get(question.name)
        if isinstance(answer, list):
            answer = answer.pop(0) if answer else WALKS_AWAY
        if answer is None or answer == WALKS_AWAY:
            return await self._wait_for_key()
        if answer == PULLS_CARD:
            self._world.reader.pull()
            return await self._wait_for_key()
        if callable(answer):  # something else happens before they answer
            answer = answer()
        await trio.lowlevel.checkpoint()
        return self._given(question, str(answer))

    def _given(self, question: Question, answer: str) -> str:
        """Nobody presses what a page does not have, nor ends a number that is too short or too long."""
        assert answer == HELP or question.answer(answer)
        if isinstance(question.body, Number) and answer.startswith("#"):
            assert question.body.digits_min <= len(digits_given(answer)) <= question.body.digits_max
        return answer

    async def _wait_for_key(self) -> str:
        self._keyed = trio.Event()
        await self._keyed.wait()
        return self._keyed_value

    def show(self, question: Question) -> None:
        self.shown.append(question)

    def key(self, key: PadKey) -> None:
        """The pad's key answers the question that stands, as a real screen would."""
        question = self.asked[-1]
        numbered = [one for one in question.answers if one.role in (Role.TILE, Role.ROW, Role.SECOND)]
        by_role = {PadKey.ENTER: Role.MAIN, PadKey.CANCEL: Role.BACK}.get(key)
        chosen = [one for one in question.answers if one.role is by_role]
        if key.digit and key.digit <= len(numbered):
            chosen = [numbered[key.digit - 1]]
        if chosen:
            self._keyed_value = chosen[0].value
            self._keyed.set()

    def foresee(self, question: Question) -> None:
        self.foreseen.append(question)

    def stars(self, progress: PinProgress) -> None:
        self.progress.append(progress)

    def warn_idle(self, seconds_left: int | None) -> None:
        if seconds_left is not None:
            self.warnings.append(seconds_left)

    def clear_session(self) -> None:
        self.preferences = Preferences()

    def names(self) -> list[str]:
        return [question.name for question in self.asked]
