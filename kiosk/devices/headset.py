"""The headset's jack tells the screen: names and amounts are spoken while somebody listens there, and only then."""

from typing import NoReturn, Protocol

import trio

from kiosk.ports import HeadsetJack


class Listening(Protocol):
    """What can speak into a headset: the glass."""

    def headset(self, plugged: bool) -> None:
        """A headset came or went."""
        ...


class FollowJack:
    """``attend`` is the supervisor's attendant of slot ``headset``."""

    def __init__(self, screen: Listening) -> None:
        self._screen = screen
        self._plugged = False

    async def attend(
        self, jack: HeadsetJack, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> NoReturn:
        """Tell of every change; a jack that is gone has no headset, for all that is known."""
        task_status.started()
        try:
            while True:
                self._tell(jack.plugged)
                await jack.wait_change()
        finally:
            self._tell(False)

    def _tell(self, plugged: bool) -> None:
        if plugged != self._plugged:
            self._plugged = plugged
            self._screen.headset(plugged)
