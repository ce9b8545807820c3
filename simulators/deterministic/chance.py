"""One seed, one history: trio's scheduler and every source of randomness of this process are seeded for a while.

trio shuffles each batch of runnable tasks by a random of its own, and sorts it first only under a private switch;
this is the one file that touches it, and a test fails when it moves.
"""

import itertools
import math
import os
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from typing import Any, TypeVar

import trio
from trio._core import _run as trio_run
from trio._core._io_epoll import EpollIOManager
from trio.testing import MockClock

Result = TypeVar("Result")


@contextmanager
def seeded(seed: int | str) -> Iterator[None]:
    """``os.urandom`` is seeded as well, and with it ``secrets``, ``uuid`` and whatever asks for unpredictable bytes."""
    urandom = random.Random(f"{seed} urandom").randbytes
    scheduler, common = trio_run._r.getstate(), random.getstate()
    trio_run._r.seed(f"{seed} scheduler")
    random.seed(f"{seed} random")
    try:
        with _replaced(os, "urandom", urandom), _replaced(random, "_urandom", urandom):
            with _replaced(trio_run, "_ALLOW_DETERMINISTIC_SCHEDULING", True):
                with _replaced(trio_run, "TheIOManager", _NoFiles), _light():
                    yield
    finally:
        trio_run._r.setstate(scheduler)
        random.setstate(common)


class _NoFiles(EpollIOManager):
    """Nothing in memory waits for a file. The kernel is asked only where somebody called into the loop from outside of
    a task (an interrupt, the end of an abandoned generator), not at each of a million turns."""

    def get_events(self, timeout: float) -> list[tuple[int, int]]:
        called = trio_run.GLOBAL_RUN_CONTEXT.runner.entry_queue
        return super().get_events(timeout) if called.queue or called.idempotent_queue else []


@contextmanager
def _light() -> Iterator[None]:
    """Of trio, what nobody reads here: six questions a turn for instruments, and each cancellation's reason in words
    with the names of its tasks. And its book of deadlines, which it opens 250 times a session by a generator."""
    with _replaced(trio_run, "Instruments", dict), _replaced(trio_run.Task, "__repr__", object.__repr__):
        with _replaced(trio.Cancelled, "__repr__", object.__repr__):
            with _replaced(trio_run.CancelScope, "_might_change_registered_deadline", lambda scope: _Booked(scope)):
                yield


class _Booked:
    """A scope's deadline stands in the loop's book for as long as the scope is open and not cancelled."""

    def __init__(self, scope: Any) -> None:
        self._scope = scope

    def __enter__(self) -> None:
        """It is booked when the change is made."""

    def __exit__(self, *_: object) -> None:
        scope = self._scope
        before = scope._registered_deadline
        now = math.inf if scope._cancel_status is None or scope._cancel_called else scope._deadline
        if before != now:
            scope._registered_deadline = now
            deadlines = trio_run.GLOBAL_RUN_CONTEXT.runner.deadlines
            if before != math.inf:
                deadlines.remove(before, scope)
            if now != math.inf:
                deadlines.add(now, scope)


@contextmanager
def _replaced(owner: Any, name: str, value: object) -> Iterator[None]:
    """Of the standard library and of trio, for a while; none of it is ours. Raises AttributeError: it has moved."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def run_seeded(seed: int | str, live: Callable[..., Awaitable[Result]], *arguments: Any) -> Result:
    """``live(*arguments)`` in virtual time, which jumps on whenever every task waits."""
    jumps = _Jumps()
    with seeded(seed), jumps.quickly():
        return trio.run(live, *arguments, clock=jumps.clock)


_Alarm = list[trio.lowlevel.Task]  # who waits; nobody, once it was cancelled


class _Jumps:
    """Time is read a hundred thousand times in a history and moves by jumps alone: what trio's own clock does, in few
    words. A jump lands on the deadline itself instead of a rounding beside it; its tasks run in the same turn.
    """

    def __init__(self) -> None:
        self.clock = clock = MockClock(autojump_threshold=0)
        self._alarms: list[tuple[float, int, _Alarm]] = []
        self._count = itertools.count()
        self._now = lambda: clock._virtual_base
        clock.current_time = self._now  # type: ignore[method-assign]  # of one object, for speed
        clock.deadline_to_sleep_time = self._sleeps_s  # type: ignore[method-assign]  # of one object, for speed
        clock._autojump = self.jump  # type: ignore[method-assign]  # it cannot be subclassed

    @contextmanager
    def quickly(self) -> Iterator[None]:
        """For whoever asks trio for the time, or to wait; six hundred times a session the first."""
        with _replaced(trio, "current_time", self._now), _replaced(trio_run, "current_time", self._now):
            with _replaced(trio, "sleep", self.sleep), _replaced(trio, "sleep_until", self.sleep_until):
                yield

    def _sleeps_s(self, deadline: float) -> float:
        return 0.0 if deadline <= self.clock._virtual_base else math.inf

    def jump(self) -> None:
        deadlines, alarms, clock = trio_run.GLOBAL_RUN_CONTEXT.runner.deadlines, self._alarms, self.clock
        while alarms and not alarms[0][2]:
            heappop(alarms)
        due = min(deadlines.next_deadline(), alarms[0][0] if alarms else math.inf)
        if clock._virtual_base < due < math.inf:
            clock._virtual_base = due
        deadlines.expire(clock._virtual_base)
        while alarms and alarms[0][0] <= clock._virtual_base:
            for task in heappop(alarms)[2]:
                trio.lowlevel.reschedule(task)

    async def sleep_until(self, deadline: float) -> None:
        """As ``trio.sleep_until``, without the cancel scope that it costs: half of all that a history waits for."""
        if deadline <= self.clock._virtual_base:
            await trio.lowlevel.checkpoint()
            return
        task = trio.lowlevel.current_task()
        alarm = [task]
        heappush(self._alarms, (deadline, next(self._count), alarm))

        def cancelled(_: object) -> trio.lowlevel.Abort:
            alarm.clear()
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(cancelled)
        if task._cancel_status.effectively_cancelled:  # by whoever ran before this task in the same turn
            await trio.lowlevel.checkpoint()

    def sleep(self, seconds: float) -> Awaitable[None]:
        """As ``trio.sleep``."""
        if seconds < 0:
            raise ValueError("`seconds` must be non-negative")
        return self.sleep_until(self.clock._virtual_base + seconds)
