"""A cable between a simulated device and one USB port of qemu: a connection to the socket of the port's chardev.

For ``usb-serial`` and ``usb-redir`` a connection is a device that is plugged in, and its end is an unplugged one. qemu
is the server; when it goes (the terminal loses its power) and comes back, a cable that is in place connects again.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import trio

CONNECT_AGAIN_S = 0.1


class SocketCable(ABC):
    """Start ``run`` in a nursery; ``plug`` and ``unplug`` at any moment. Made unplugged."""

    def __init__(self, path: Path, on_change: Callable[[], None] = lambda: None) -> None:
        self.path = path  # the UNIX socket that qemu listens on
        self.on_change = on_change
        self.connected = False
        self._plugged = False
        self._change = trio.Event()
        self._scope: trio.CancelScope | None = None

    @property
    def plugged(self) -> bool:
        return self._plugged

    def plug(self) -> None:
        self._turn(plugged=True)

    def unplug(self) -> None:
        """The connection is closed by the next turn of ``run``."""
        self._turn(plugged=False)

    def _turn(self, *, plugged: bool) -> None:
        self._plugged = plugged
        self._change.set()
        self._change = trio.Event()
        if self._scope is not None and not plugged:
            self._scope.cancel()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Until cancelled."""
        task_status.started()
        while True:
            while not self._plugged:
                await self._change.wait()
            with trio.CancelScope() as self._scope:
                await self._connect_and_carry()
            self._scope = None

    async def _connect_and_carry(self) -> None:
        try:
            stream = await trio.open_unix_socket(str(self.path))
        except OSError:
            await trio.sleep(CONNECT_AGAIN_S)
            return
        async with stream:
            self.connected = True
            self.on_change()
            try:
                with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                    await self.carry(stream)
            finally:
                self.connected = False
                self.on_change()
        await trio.sleep(CONNECT_AGAIN_S)

    @abstractmethod
    async def carry(self, stream: trio.SocketStream) -> None:
        """Move bytes until the other side closes, then return."""
