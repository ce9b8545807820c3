"""The terminal's serial ports in memory: a real driver on one end, a simulated device on the other.

The device outlives the kiosk's process and keeps what it would keep without power. Both ends are plain objects that
meet when a driver sends: what a device answers lies on the line until its last bit has arrived, and time passes inside
the device only when something there is due. A task for each end of each wire would be half of what a history costs.
"""

import math
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import trio

from drivers.transport.line import Line, LineLost
from simulators.deterministic.fuse import Fuse

TICK_S = 0.05
STEPS_KEPT = 4
BYTE_S = 0.00104  # 9600 baud, eight data bits
AT_ONCE_S = 0.05  # a chunk that takes no longer is with the device when it is sent; a longer one when it has arrived
IN_FLIGHT_MAX = 4096  # chunks


class CountedSteps:
    """Each step of a protocol is an effect once; asking the same again and again is not.

    A step is what is sent and what was heard before it: the confirmation of a credit counts, the poll of an idle device
    counts the first time only.
    """

    def __init__(self, name: str, fuse: Fuse) -> None:
        self._name, self._fuse = name, fuse
        self._lately: deque[tuple[bytes, bytes]] = deque(maxlen=STEPS_KEPT)

    def count(self, chunk: bytes, heard: bytes) -> None:
        """Raises PowerCut."""
        step = (chunk, heard)
        if step not in self._lately or self._fuse.dead:
            self._fuse.burn(f"{self._name} {chunk[:12].hex()}")
            self._lately.append(step)


class PortLine:
    """Implements ``Line``, except that there is nothing to lend. One life of a driver at a port."""

    def __init__(self, sent: Callable[[bytes], None]) -> None:
        self._sent = sent
        self._arriving: deque[tuple[float, bytes]] = deque()
        self._free_s = 0.0  # until then the wire back is busy
        self._news = trio.Event()
        self._closed = False

    async def send(self, chunk: bytes) -> None:
        await trio.lowlevel.checkpoint()
        if self._closed:
            raise LineLost("lost")
        self._sent(chunk)

    async def receive(self) -> bytes:
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self._closed:
            if not self._arriving:
                await self._news.wait()
            elif self._arriving[0][0] > trio.current_time():
                await trio.sleep_until(self._arriving[0][0])
            else:
                return self._arriving.popleft()[1]
        raise LineLost("lost")

    def answered(self, chunk: bytes, begins_s: float) -> None:
        """The device speaks; raises LineLost when nobody listens for too long."""
        if self._closed or len(self._arriving) >= IN_FLIGHT_MAX:
            raise LineLost("lost")
        self._free_s = max(self._free_s, begins_s) + len(chunk) * BYTE_S
        self._arriving.append((self._free_s, chunk))
        self._tell()

    def lend(self) -> int:
        raise LineLost("not_lendable")

    def take_back(self) -> None:
        """Nothing was lent."""

    def close(self) -> None:
        self._closed = True
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = trio.Event()


class Port:
    """One device on its line. ``run`` lets time pass for it; a driver opens the other end, anew in each life."""

    def __init__(self, name: str, device: Any, fuse: Fuse) -> None:
        self.name, self.device, self._fuse = name, device, fuse
        self.plugged = True
        self._line: PortLine | None = None
        self._steps = CountedSteps(name, fuse)
        self._under_way: deque[tuple[float, bytes]] = deque()  # to the device, and when it has arrived
        self._begins_s = 0.0  # when the device can answer what it was sent last
        self._rest = trio.CancelScope()
        self._heard = b""
        device.wire = self._answer

    def open(self) -> Line:
        """The driver's end. Raises LineLost: "absent"."""
        if not self.plugged:
            raise LineLost("absent")
        self.hang_up()
        self._heard = b""
        self._steps = CountedSteps(self.name, self._fuse)
        self._line = PortLine(self._sent)
        self._rest.deadline = self._due_s()
        return self._line

    def unplug(self) -> None:
        self.plugged = False
        self.hang_up()

    def plug(self) -> None:
        self.plugged = True

    def power_cut(self) -> None:
        """Line and device lose their power; the device gets it back at once and waits for somebody to speak."""
        self.hang_up()
        self.device.power_cut()

    async def run(self) -> None:
        """For ever. Wakes only when something inside the device, or on the wire to it, is due."""
        while True:
            with trio.CancelScope(deadline=self._due_s()) as self._rest:
                await trio.sleep_forever()
            self._pass_time()

    def _pass_time(self) -> None:
        if self._fuse.dead:
            return
        now = trio.current_time()
        self.device.tick(now)
        while self._under_way and self._under_way[0][0] <= now:
            self.device.receive(self._under_way.popleft()[1])

    def _due_s(self) -> float:
        """Virtual seconds; never is infinite, and nothing is due while the power is away."""
        if self._fuse.dead:
            return math.inf
        arrives_s = self._under_way[0][0] if self._under_way else math.inf
        if hasattr(self.device, "due_s"):
            due: float | None = self.device.due_s
            return min(arrives_s, math.inf if due is None else due)
        ticks = getattr(self.device, "can_time_out", True)
        return min(arrives_s, trio.current_time() + TICK_S if ticks else math.inf)

    def _sent(self, chunk: bytes) -> None:
        """By the driver. Raises PowerCut."""
        self._steps.count(chunk, self._heard)
        now, takes_s = trio.current_time(), len(chunk) * BYTE_S
        self._begins_s = max(now, self._begins_s) + takes_s
        if self._under_way or takes_s > AT_ONCE_S:
            self._under_way.append((self._begins_s, chunk))
        else:
            self.device.tick(now)
            self.device.receive(chunk)
        self._rest.deadline = self._due_s()

    def _answer(self, chunk: bytes) -> None:
        self._heard = chunk
        if self._line is not None and not self._fuse.dead:
            with suppress(LineLost):
                self._line.answered(chunk, max(self._begins_s, trio.current_time()))

    def hang_up(self) -> None:
        """Whoever held the line is no more; the device notices nothing but silence."""
        if self._line is not None:
            self._line.close()
        self._under_way.clear()
        self._begins_s = 0.0
        self._rest.deadline = self._due_s()
