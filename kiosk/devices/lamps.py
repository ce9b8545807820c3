"""The lamps follow the page: what it sends hands to is lit, what was forgotten blinks, everything else is dark.

No service and no question knows of lamps. ``LitScreen`` stands before the screen, hears every page, and wishes; the
driver in slot ``lights`` carries the wish out in its own time, if there is one.
"""

from typing import NoReturn

import trio

from kiosk.domain.card import PinProgress
from kiosk.ports import DARK, Hands, Lights, PadKey, Place, Preferences, Question, Screen, Shine, Stars


class LitScreen:
    """Implements ``ports.Screen`` by another one. ``attend`` is the supervisor's attendant of slot ``lights``."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._question: Question | None = None
        self._since = 0.0
        self._warned = False
        self._changed = trio.Event()

    async def attend(self, lights: Lights, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> NoReturn:
        """Tell the lamps of every page for as long as there are lamps; a board that comes back is told at once."""
        task_status.started()
        while True:
            self._changed = trio.Event()
            shine, until = self._wanted(trio.current_time())
            lights.shine(shine)
            with trio.move_on_at(until):
                await self._changed.wait()

    def _wanted(self, now: float) -> tuple[Shine, float]:
        """What shall be lit, and the time at which that changes by itself."""
        places, blinks_at = _places(self._question), self._blinks_at()
        if self._warned or blinks_at <= now:
            return Shine(blinking=places), float("inf")
        return Shine(steady=places) if places else DARK, blinks_at

    def _blinks_at(self) -> float:
        """When the page begins to call for whoever turned away."""
        body = self._question.body if self._question else None
        call = body.call if isinstance(body, Hands) else None
        return self._since + call.first_s if call else float("inf")

    def _turned(self, question: Question | None) -> None:
        """The same page again is no new page: its patience goes on."""
        if question != self._question:
            self._question, self._since, self._warned = question, trio.current_time(), False
            self._changed.set()

    # --- the port ---

    @property
    def preferences(self) -> Preferences:
        return self._screen.preferences

    @property
    def activity(self) -> float:
        return self._screen.activity

    async def ask(self, question: Question) -> str:
        self._turned(question)
        return await self._screen.ask(question)

    def show(self, question: Question) -> None:
        self._turned(question)
        self._screen.show(question)

    def foresee(self, question: Question) -> None:
        self._screen.foresee(question)

    def key(self, key: PadKey) -> None:
        self._screen.key(key)

    def stars(self, progress: PinProgress) -> None:
        self._screen.stars(progress)

    def warn_idle(self, seconds_left: int | None) -> None:
        if self._warned != (seconds_left is not None):
            self._warned = not self._warned
            self._changed.set()
        self._screen.warn_idle(seconds_left)

    def clear_session(self) -> None:
        self._turned(None)
        self._screen.clear_session()


def _places(question: Question | None) -> frozenset[Place]:
    body = question.body if question else None
    if isinstance(body, Hands):
        return frozenset(body.places)
    return frozenset({body.place}) if isinstance(body, Stars) else frozenset()
