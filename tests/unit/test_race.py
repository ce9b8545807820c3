"""The one place where things race."""

import pytest
import trio

from kiosk.basics.race import first_of
from kiosk.ports import Back


async def test_exception_arrives_unwrapped() -> None:
    """``except Back`` around a race catches Back, not a group of exceptions."""

    async def back() -> None:
        raise Back

    with pytest.raises(Back):
        await first_of(back, trio.sleep_forever)


async def test_first_argument_wins_a_tie() -> None:
    """A job that ended although it was cancelled counts before the watcher that cancelled it."""

    async def past_recall() -> str:
        with trio.CancelScope(shield=True):
            await trio.testing.wait_all_tasks_blocked()
            return "done"

    async def watcher() -> None:
        raise Back

    assert await first_of(past_recall, watcher) == (0, "done")


async def test_losers_are_cancelled() -> None:
    """When one has ended, nothing of the others runs on."""
    cancelled = []

    async def loser() -> None:
        try:
            await trio.sleep_forever()
        finally:
            cancelled.append(True)

    async def winner() -> int:
        await trio.lowlevel.checkpoint()
        return 7

    assert await first_of(loser, winner) == (1, 7)
    assert cancelled == [True]


async def test_cancelled_race_ends_as_cancelled() -> None:
    """A race inside a cancelled scope does not invent a winner."""
    with trio.CancelScope() as scope:
        scope.cancel()
        await first_of(trio.sleep_forever, trio.sleep_forever)
    assert scope.cancelled_caught
