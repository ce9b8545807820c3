"""The one place where things race each other."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import trio

Result = TypeVar("Result")


async def first_of(*entrants: Callable[[], Awaitable[Any]]) -> tuple[int, Any]:
    """Run all, return the index and result of the first that ends, cancel the rest.

    An entrant that raises ends the race with its exception, unwrapped: a nursery would turn ``Back`` into an
    ExceptionGroup and ``except Back`` would miss it. When several end together, the earliest in the argument list
    counts: put first what may not be lost, such as a job that was past recall when the card was pulled.
    """
    ends: dict[int, tuple[Any, Exception | None]] = {}

    async def run(index: int, entrant: Callable[[], Awaitable[Any]], scope: trio.CancelScope) -> None:
        try:
            ends[index] = (await entrant(), None)
        except Exception as error:  # noqa: BLE001 - carried out of the nursery and raised again below
            ends[index] = (None, error)
        scope.cancel()

    async with trio.open_nursery() as nursery:
        for index, entrant in enumerate(entrants[1:], start=1):
            nursery.start_soon(run, index, entrant, nursery.cancel_scope)
        await run(0, entrants[0], nursery.cancel_scope)  # needs no task of its own
    await trio.lowlevel.checkpoint_if_cancelled()
    index = min(ends)
    result, error = ends[index]
    if error is not None:
        raise error
    return index, result


async def past_recall(job: Callable[[], Awaitable[Result]], seconds: float) -> Result:
    """Run a job that nothing may cancel any more, such as moving paper or money, for so long at most.

    Raises:
        trio.TooSlowError: it outlived its time.
    """
    with trio.CancelScope(shield=True, deadline=trio.current_time() + seconds):
        return await job()
    raise trio.TooSlowError
