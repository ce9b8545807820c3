"""One way to serve an ASGI application on loopback under trio."""

from typing import Any

import trio
from hypercorn.config import Config
from hypercorn.trio import serve


async def serve_on_loopback(app: Any, port: int, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
    """Serve until cancelled; started once the port listens.

    Raises:
        OSError: the port is taken.
    """
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.graceful_timeout = 0.2  # s; events and sockets never end by themselves
    config.accesslog = None
    config.errorlog = None
    async with trio.open_nursery() as nursery:
        await nursery.start(serve, app, config)
        task_status.started()
