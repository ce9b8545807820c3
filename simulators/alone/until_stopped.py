"""Run one counterpart until Ctrl-C, and end quietly."""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable

import trio


def run_until_stopped(serve: Callable[[], Awaitable[None]]) -> int:
    """Run ``serve`` until SIGINT or SIGTERM; its own end ends this too. Returns the exit status."""
    trio.run(_run, serve)
    return 0


async def _run(serve: Callable[[], Awaitable[None]]) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_watch, signals, nursery.cancel_scope)
            await serve()
            nursery.cancel_scope.cancel()


async def _watch(signals: AsyncIterator[int], scope: trio.CancelScope) -> None:
    async for _ in signals:
        scope.cancel()
        return
