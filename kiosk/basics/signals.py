"""How a process of the house is told to end: by systemd, by whoever started it, or by Ctrl-C."""

import signal

import trio


async def end_on_signal(scope: trio.CancelScope) -> None:
    """Cancel ``scope`` at the first SIGTERM or SIGINT; what is shielded is finished first."""
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel()
            return
