"""What carriers share: bytes that wait to be sent, and a USB device that is given bytes and time."""

import math
from typing import Protocol

import trio

from simulators.usb.device import BulkDevice
from simulators.usb.transfers import BulkTransfers

TICK_S = 0.05
CHUNK_BYTES = 65_536


class Outgoing:
    """Bytes for the other side, put in by plain functions and sent by a task."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._news = trio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, chunk: bytes) -> None:
        self._waiting += chunk
        self._news.set()

    def clear(self) -> None:
        self._waiting.clear()

    async def send_to(self, stream: trio.SocketStream) -> None:
        """Until cancelled, or until the other side is gone: whoever receives sees that as well."""
        while True:
            await self._news.wait()
            self._news = trio.Event()
            chunk = bytes(self._waiting)
            self._waiting.clear()
            try:
                await stream.send_all(chunk)
            except trio.BrokenResourceError:
                return


class Conversation(Protocol):
    """A protocol with one device behind it. ``transfers`` is None before the device is attached."""

    transfers: BulkTransfers | None

    def receive(self, chunk: bytes) -> None: ...


async def chunk_or_tick(stream: trio.SocketStream, *, time_matters: bool) -> bytes | None:
    """Bytes from the other side, none when only time has passed, None when it is gone."""
    with trio.move_on_after(TICK_S if time_matters else math.inf):
        return bytes(await stream.receive_some(CHUNK_BYTES)) or None
    return b""


async def carry_device(
    stream: trio.SocketStream, device: BulkDevice, conversation: Conversation, outgoing: Outgoing
) -> None:
    """Until the other side closes. Time matters while the device works, or has no room for what waits."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outgoing.send_to, stream)
        while True:
            transfers = conversation.transfers
            busy = transfers is not None and (transfers.waits_for_room or device.can_time_out)
            chunk = await chunk_or_tick(stream, time_matters=busy)
            if chunk is None:
                break
            device.tick(trio.current_time())
            conversation.receive(chunk)
            if conversation.transfers is not None:
                conversation.transfers.pump()
        nursery.cancel_scope.cancel()
