"""One seed, one history: trio's scheduler and every source of randomness of this process are seeded for a while.

trio shuffles each batch of runnable tasks by a random of its own, and sorts it first only under a private switch;
this is the one file that touches it, and a test fails when it moves.
"""

import os
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import trio
from trio._core import _run as trio_run
from trio.testing import MockClock

Result = TypeVar("Result")


@contextmanager
def seeded(seed: int | str) -> Iterator[None]:
    """``os.urandom`` is seeded as well, and with it ``secrets``, ``uuid`` and whatever asks for unpredictable bytes."""
    urandom = random.Random(f"{seed} urandom").randbytes
    real: tuple[Any, ...] = (os.urandom, random._urandom, trio_run._ALLOW_DETERMINISTIC_SCHEDULING)  # type: ignore[attr-defined]
    scheduler, common = trio_run._r.getstate(), random.getstate()
    os.urandom = random._urandom = urandom  # type: ignore[attr-defined]  # of the standard library, not ours
    trio_run._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc]
    trio_run._r.seed(f"{seed} scheduler")
    random.seed(f"{seed} random")
    try:
        yield
    finally:
        os.urandom, random._urandom, trio_run._ALLOW_DETERMINISTIC_SCHEDULING = real  # type: ignore[attr-defined,misc]
        trio_run._r.setstate(scheduler)
        random.setstate(common)


def run_seeded(seed: int | str, live: Callable[..., Awaitable[Result]], *arguments: Any) -> Result:
    """``live(*arguments)`` in virtual time, which jumps on whenever every task waits."""
    with seeded(seed):
        return trio.run(live, *arguments, clock=MockClock(autojump_threshold=0))
