"""Speaks with qemu's monitor: QMP, one JSON object a line over a UNIX socket (qemu's docs/interop/qmp-spec)."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

ANSWER_S_MAX = 60.0  # a busy emulator answers between two of the guest's instructions
LINE_BYTES_MAX = 1 << 20


class MonitorRefused(Exception):
    """The monitor said no, or is gone; the message has its words."""


class Monitor:
    """One conversation. Events that come between are dropped: whoever waits looks at the machine itself."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._held = b""
        self._turn = trio.Lock()

    async def ask(self, command: str, **arguments: Any) -> Any:
        """What the monitor returns. Raises MonitorRefused, trio.TooSlowError."""
        async with self._turn:
            with trio.fail_after(ANSWER_S_MAX):
                told = {"execute": command} | ({"arguments": arguments} if arguments else {})
                await self._stream.send_all(json.dumps(told).encode() + b"\n")
                while True:
                    said = await self._line()
                    if "error" in said:
                        raise MonitorRefused(f"{command}: {said['error'].get('desc', '')}")
                    if "return" in said:
                        return said["return"]

    async def _line(self) -> dict[str, Any]:
        while b"\n" not in self._held:
            piece = await self._stream.receive_some(65536)
            if not piece or len(self._held) > LINE_BYTES_MAX:
                raise MonitorRefused("the monitor hung up")
            self._held += piece
        line, _, self._held = self._held.partition(b"\n")
        said: dict[str, Any] = json.loads(line)
        return said


@asynccontextmanager
async def monitor(path: Path) -> AsyncIterator[Monitor]:
    """A conversation with the monitor that listens at ``path``."""
    async with await trio.open_unix_socket(str(path)) as stream:
        one = Monitor(stream)
        await one._line()  # the greeting
        await one.ask("qmp_capabilities")
        yield one
