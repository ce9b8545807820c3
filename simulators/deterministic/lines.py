"""The terminal's serial ports in memory: a real driver on one end, a simulated device on the other.

The device outlives the kiosk's process and keeps what it would keep without power.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import trio

from drivers.transport.line import Line, LineLost
from drivers.transport.memory import MemoryLine, memory_lines
from simulators.deterministic.fuse import Fuse

TICK_S = 0.05
PAIRS_KEPT = 4
BYTE_S = 0.00104  # 9600 baud, eight data bits


class CountedWire:
    """Towards the device. Each step of a protocol is an effect once; asking the same again and again is not.

    A step is what is sent and what was heard before it: the confirmation of a credit counts, the poll of an idle device
    counts the first time only.
    """

    def __init__(self, name: str, fuse: Fuse, heard: Callable[[], bytes]) -> None:
        self._name, self._fuse, self._heard = name, fuse, heard
        self._lately: deque[tuple[bytes, bytes]] = deque(maxlen=PAIRS_KEPT)

    def carry(self, chunk: bytes) -> Iterable[tuple[float, bytes]]:
        step = (chunk, self._heard())
        if step not in self._lately or self._fuse.dead:
            self._fuse.burn(f"{self._name} {chunk[:12].hex()}")
            self._lately.append(step)
        yield len(chunk) * BYTE_S, chunk


class _PlainWire:
    def carry(self, chunk: bytes) -> Iterable[tuple[float, bytes]]:
        yield len(chunk) * BYTE_S, chunk


class Port:
    """One device on its line. ``run`` lets time pass for it; a driver opens the other end, anew in each life."""

    def __init__(self, name: str, device: Any, fuse: Fuse) -> None:
        self.name, self.device, self._fuse = name, device, fuse
        self.plugged = True
        self._far: MemoryLine | None = None
        self._news = trio.Event()
        self._heard = b""
        device.wire = self._answer

    def open(self) -> Line:
        """The driver's end. Raises LineLost: "absent"."""
        if not self.plugged:
            raise LineLost("absent")
        self._hang_up()
        self._heard = b""
        there = CountedWire(self.name, self._fuse, lambda: self._heard)
        near, self._far = memory_lines(there, _PlainWire())
        self._tell()
        return near

    def unplug(self) -> None:
        self.plugged = False
        self._hang_up()

    def plug(self) -> None:
        self.plugged = True

    def power_cut(self) -> None:
        """Line and device lose their power; the device gets it back at once and waits for somebody to speak."""
        self._hang_up()
        self.device.power_cut()

    async def run(self) -> None:
        """For ever. Ticks only as often as something inside the device can happen by itself."""
        while True:
            if not self._fuse.dead:
                self.device.tick(trio.current_time())
            far = self._far
            if far is None:
                await self._news.wait()
                continue
            try:
                with trio.move_on_after(self._patience_s()):
                    self._receive(await far.receive())
            except LineLost:
                self._far = None if self._far is far else self._far

    def _receive(self, chunk: bytes) -> None:
        if not self._fuse.dead:
            self.device.tick(trio.current_time())
            self.device.receive(chunk)

    def _patience_s(self) -> float:
        device = self.device
        if hasattr(device, "due_s"):
            due: float | None = device.due_s
            return math.inf if due is None else max(0.0, due - trio.current_time())
        return TICK_S if getattr(device, "can_time_out", True) else math.inf

    def _answer(self, chunk: bytes) -> None:
        self._heard = chunk
        if self._far is not None and not self._fuse.dead:
            with suppress(LineLost):
                self._far.send_now(chunk)

    def _hang_up(self) -> None:
        if self._far is not None:
            self._far.close()
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = trio.Event()
