"""Waiting for things outside this process, each with a limit."""

import socket
from collections.abc import Callable
from pathlib import Path

import trio

from simulators.processes import Child, ChildEnded

_LOOK_AGAIN_S = 0.02


def free_port(count: int = 1) -> int:
    """The first of ``count`` neighbouring TCP ports of loopback that are free now.

    Nothing reserves them: take them at once, and look at what you started.
    """
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first: int = probe.getsockname()[1]
        if first + count <= 65535 and all(_is_free(first + step) for step in range(count)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


async def came_true(holds: Callable[[], bool], limit_s: float) -> bool:
    """Look again and again; whether it held within ``limit_s``."""
    with trio.move_on_after(limit_s):
        while not holds():  # noqa: ASYNC110 - the thing waited for lives in another process and tells nobody
            await trio.sleep(_LOOK_AGAIN_S)
        return True
    return holds()


async def until(holds: Callable[[], bool], limit_s: float, what: str) -> None:
    """As ``came_true``.

    Raises:
        trio.TooSlowError: not within ``limit_s``; the message says ``what`` was waited for.
    """
    if not await came_true(holds, limit_s):
        raise trio.TooSlowError(f"{what}: not within {limit_s:g} s")


async def until_child(child: Child, holds: Callable[[], bool], limit_s: float, what: str) -> None:
    """As ``until``, but gives up as soon as ``child`` has ended.

    Raises:
        ChildEnded, trio.TooSlowError.
    """
    await until(lambda: holds() or not child.running, limit_s, f"{child.name}: {what}")
    if not holds():
        raise ChildEnded(f"{child.name} ended with status {child.process.returncode}, see {child.log}")


async def until_listening(port: int, child: Child, limit_s: float) -> None:
    """Until ``child`` accepts connections on ``port`` of loopback. Raises as ``until_child``."""

    def listening() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    await until_child(child, listening, limit_s, f"listening on {port}")


async def until_file(path: Path, child: Child, limit_s: float) -> None:
    """Until ``child`` has made ``path``. Raises as ``until_child``."""
    await until_child(child, path.exists, limit_s, f"made {path.name}")
