"""Frames of one line, one at a time. For half-duplex protocols: nobody listens while nothing was asked."""

import math
from typing import Generic, Protocol, TypeVar

import trio

from drivers.transport.line import Line

Frame = TypeVar("Frame")

QUIET_S = 0.1  # 9600 baud: 1 ms a byte; USB adapters hold back up to 16 ms; Python adds up to 10 ms
SETTLE_S_MAX = 2.0
WAITING_MAX = 64  # frames that arrived together


class Silent(Exception):
    """No usable answer within the allowed tries."""


class DeviceRefused(Exception):
    """The device answered, and the answer is no."""


class Decoder(Protocol[Frame]):
    """The sans-IO half of a protocol. ``give_up`` after a pause in the middle of a frame."""

    def receive(self, chunk: bytes) -> list[Frame]: ...

    def give_up(self) -> list[Frame]: ...


class Inbox(Generic[Frame]):
    """Raises LineLost from ``line`` in every method."""

    def __init__(self, line: Line, decoder: Decoder[Frame]) -> None:
        self._line = line
        self._decoder = decoder
        self._waiting: list[Frame] = []
        self._in_frame = False

    async def send(self, chunk: bytes) -> None:
        await self._line.send(chunk)

    async def next(self, wait_s: float) -> Frame | None:
        """The next frame, or None after silence."""
        ends = trio.current_time() + wait_s
        while not self._waiting:
            left_s = ends - trio.current_time()
            if left_s <= 0:
                return None
            with trio.move_on_after(min(left_s, QUIET_S if self._in_frame else math.inf)):
                self._keep(self._decoder.receive(await self._line.receive()))
                self._in_frame = True
                continue
            self._keep(self._decoder.give_up())
            self._in_frame = False
        return self._waiting.pop(0)

    async def settle(self) -> None:
        """After silence or damage: forget everything late, until the line is quiet."""
        with trio.move_on_after(SETTLE_S_MAX):
            while True:
                with trio.move_on_after(QUIET_S):
                    await self._line.receive()
                    continue
                break
        self._decoder.give_up()
        self._waiting.clear()
        self._in_frame = False

    def forget(self) -> None:
        """Drop what is decoded and waits: it answers nothing that will be asked."""
        self._waiting.clear()

    def _keep(self, frames: list[Frame]) -> None:
        self._waiting = (self._waiting + frames)[-WAITING_MAX:]
