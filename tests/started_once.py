"""What a driver under test tells of its start: usable, or ended before it ever was. Whoever waits hears it once."""

import trio


class StartedOnce:
    def __init__(self, status: trio.TaskStatus[None]) -> None:
        self._status: trio.TaskStatus[None] | None = status

    def started(self, value: None = None) -> None:
        if self._status is not None:
            self._status.started()
            self._status = None
