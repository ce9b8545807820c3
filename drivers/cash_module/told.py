"""The stream of events, and which of them are durable already."""

from collections import deque

import trio

from kiosk.domain.cash import CashEvent, Recovery

EVENTS_MAX = 64  # unread by the caller


class Told:
    """What was told to the caller, in order, until it acknowledges."""

    def __init__(self) -> None:
        self._in, self._out = trio.open_memory_channel[CashEvent](EVENTS_MAX)
        self._outstanding: deque[CashEvent | Recovery] = deque()
        self._epoch = ""
        self._counted = 0

    @property
    def booked(self) -> bool:
        """Whether everything that was told is durable: only then may the device forget."""
        return not self._outstanding

    def begin(self, epoch: str) -> None:
        assert self.booked, "acknowledge what was told before recovering again"
        self._epoch, self._counted = epoch, 0

    def name(self, kind: str) -> str:
        """A name that no other note or credit ever had."""
        self._counted += 1
        return f"{self._epoch}.{kind}{self._counted}"

    def tell(self, event: CashEvent) -> None:
        """Raises trio.WouldBlock: nobody reads."""
        self._in.send_nowait(event)
        self._outstanding.append(event)

    def answer(self, recovery: Recovery) -> None:
        self._outstanding.append(recovery)

    async def next(self) -> CashEvent:
        """Raises trio.EndOfChannel after the last event once closed."""
        return await self._out.receive()

    def acknowledge(self, told: CashEvent | Recovery) -> None:
        assert self._outstanding and self._outstanding[0] == told, "acknowledge events in the order in which they came"
        self._outstanding.popleft()

    def close(self) -> None:
        self._in.close()
