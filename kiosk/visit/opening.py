"""Whether residents are served now: taken out of service, closed for the day, or resting for a moment.

Nobody is ever sent away by it: whoever is in front finishes, and it holds from the next one on. That a terminal is out
of service stands in the journal, so that it outlives every restart.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

import trio

from kiosk.ports import Clock, Journal
from kiosk.settings.hours import Hours, open_at, until_next

OUT, BACK = "out_of_service", "back_in_service"
CLOSED = "closed"  # outside of its hours
PAUSED = "paused"
PAUSE_S_MAX = 30.0


class Opening:
    """One for the life of the process; the session asks it before each resident."""

    def __init__(self, journal: Journal, clock: Clock, hours: Hours) -> None:
        self._journal, self._clock, self._hours = journal, clock, hours
        self._out: bool | None = None
        self._paused_until = -inf
        self._changed = trio.Event()
        self.errands: trio.Nursery | None = None
        self._serving = 0

    @property
    def shut(self) -> str:
        """Why nobody is served now: PAUSED, OUT or CLOSED; "" where residents are."""
        if trio.current_time() < self._paused_until:
            return PAUSED
        if self.out_of_service:
            return OUT
        return "" if open_at(self._hours, self._clock.now()) else CLOSED

    @property
    def out_of_service(self) -> bool:
        if self._out is None:
            last = self._journal.last(OUT, BACK)
            self._out = last is not None and last.act == OUT
        return self._out

    @property
    def serving(self) -> bool:
        """Somebody's card, paper or page is still going on."""
        return bool(self._serving or (self.errands and self.errands.child_tasks))

    def take_out(self, by: str) -> None:
        """From the next resident on. ``by``: number of the command; telling it twice is harmless."""
        self._turn(OUT, by)

    def bring_back(self, by: str) -> None:
        self._turn(BACK, by)

    def pause(self, seconds: float) -> bool:
        """Serve nobody for so long; False: somebody is being served."""
        if self.serving:
            return False
        self._paused_until = trio.current_time() + min(seconds, PAUSE_S_MAX)
        self._announce()
        return True

    @contextmanager
    def one_served(self) -> Iterator[None]:
        """While somebody has the terminal to themselves."""
        self._serving += 1
        try:
            yield
        finally:
            self._serving -= 1

    async def wait_change(self) -> None:
        """Return when ``shut`` says something else."""
        before = self.shut
        while self.shut == before:
            changed = self._changed
            with trio.move_on_after(self._next_change_s()):
                await changed.wait()

    def _next_change_s(self) -> float:
        """Until the time alone may change it."""
        paused_s = self._paused_until - trio.current_time()
        hours_s = until_next(self._hours, self._clock.now())
        return max(0.05, min(paused_s if paused_s > 0 else inf, hours_s))

    def _turn(self, act: str, by: str) -> None:
        if self.out_of_service != (act == OUT):
            self._journal.record(act, command=by)
            self._out = act == OUT
            self._announce()

    def _announce(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
