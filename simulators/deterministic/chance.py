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
from types import ModuleType
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
                with _replaced(trio_run, "TheIOManager", _NoFiles):
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
def _replaced(module: ModuleType, name: str, value: object) -> Iterator[None]:
    """Of the standard library and of trio, for a while; none of it is ours. Raises AttributeError: it has moved."""
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


def run_seeded(seed: int | str, live: Callable[..., Awaitable[Result]], *arguments: Any) -> Result:
    """``live(*arguments)`` in virtual time, which jumps on whenever every task waits."""
    with seeded(seed):
        return trio.run(live, *arguments, clock=_Jumps().clock)


_Alarm = list[trio.lowlevel.Task]  # who waits; nobody, once it was cancelled


class _Jumps:
    """Time is read a hundred thousand times in a history and moves by jumps alone: what trio's own clock does, in few
    words. A jump lands on the deadline itself instead of a rounding beside it; its tasks run in the same turn.
    """

    def __init__(self) -> None:
        self.clock = clock = MockClock(autojump_threshold=0)
        self._alarms: list[tuple[float, int, _Alarm]] = []
        self._count = itertools.count()
        clock.current_time = lambda: clock._virtual_base  # type: ignore[method-assign]  # of one object, for speed
        clock._autojump = self.jump  # type: ignore[method-assign]  # it cannot be subclassed

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

    async def pause_until(self, moment_s: float) -> None:
        alarm = [trio.lowlevel.current_task()]
        heappush(self._alarms, (moment_s, next(self._count), alarm))

        def cancelled(_: object) -> trio.lowlevel.Abort:
            alarm.clear()
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(cancelled)


async def pause(seconds: float) -> None:
    await pause_until(trio.current_time() + seconds)


async def pause_until(moment_s: float) -> None:
    """As ``trio.sleep_until``, for those who do it fifty times a session: without the cancel scope that it costs."""
    clock = trio_run.GLOBAL_RUN_CONTEXT.runner.clock
    jumps = getattr(getattr(clock, "_autojump", None), "__self__", None)
    if isinstance(jumps, _Jumps) and moment_s > clock.current_time():
        await jumps.pause_until(moment_s)
    else:
        await trio.sleep_until(moment_s)
