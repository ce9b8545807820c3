"""Two ends of a line in memory, with what real wires do to bytes: nothing, splitting, damage, delay.

``near, far = memory_lines(wire, wire)``: the driver gets ``near``; ``far`` is for whoever plays the device.
"""

import random
from collections.abc import Iterable
from typing import Protocol

import trio

from drivers.transport.line import LineLost

IN_FLIGHT_MAX = 4096  # chunks


class Wire(Protocol):
    """What happens to a chunk under way: it comes out as chunks, each after so many seconds."""

    def carry(self, chunk: bytes) -> Iterable[tuple[float, bytes]]: ...


class PerfectWire:
    def carry(self, chunk: bytes) -> Iterable[tuple[float, bytes]]:
        yield 0.0, chunk


class ByteWire:
    """One byte at a time."""

    def carry(self, chunk: bytes) -> Iterable[tuple[float, bytes]]:
        for value in chunk:
            yield 0.0, bytes((value,))


class LossyWire:
    """Loses, flips and invents bytes; each with the given probability a byte, from a seed."""

    def __init__(self, seed: int, loss: float = 0.01, flip: float = 0.01, noise: float = 0.01) -> None:
        self._random = random.Random(seed)
        self._loss, self._flip, self._noise = loss, flip, noise

    def carry(self, chunk: bytes) -> Iterable[tuple[float, bytes]]:
        yield 0.0, b"".join(self._damage(value) for value in chunk)

    def _damage(self, value: int) -> bytes:
        if self._random.random() < self._loss:
            return b""
        if self._random.random() < self._flip:
            value ^= 1 << self._random.randrange(8)
        before = self._random.randbytes(1) if self._random.random() < self._noise else b""
        return before + bytes((value,))


class SlowWire:
    """A chunk comes whole, after a delay and the time its bytes take at 9600 baud (1.04 ms each)."""

    def __init__(self, delay_s: float = 0.05, byte_s: float = 0.00104) -> None:
        self._delay_s, self._byte_s = delay_s, byte_s

    def carry(self, chunk: bytes) -> Iterable[tuple[float, bytes]]:
        yield self._delay_s + len(chunk) * self._byte_s, chunk


class MemoryLine:
    """Implements ``Line``, except that there is nothing to lend."""

    def __init__(
        self,
        wire: Wire,
        outbound: trio.MemorySendChannel[tuple[float, bytes]],
        inbound: trio.MemoryReceiveChannel[tuple[float, bytes]],
    ) -> None:
        self._wire = wire
        self._outbound = outbound
        self._inbound = inbound
        self._arriving: tuple[float, bytes] | None = None  # kept here so that a cancelled wait loses nothing

    async def send(self, chunk: bytes) -> None:
        await trio.lowlevel.checkpoint()
        self.send_now(chunk)

    def send_now(self, chunk: bytes) -> None:
        """For devices that are plain objects. Raises LineLost when the other end is closed or nobody reads."""
        try:
            for delay_s, piece in self._wire.carry(chunk):
                self._outbound.send_nowait((delay_s, piece))
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.WouldBlock) as error:
            raise LineLost("lost") from error

    async def receive(self) -> bytes:
        try:
            while True:
                if self._arriving is None:
                    delay_s, chunk = await self._inbound.receive()
                    self._arriving = trio.current_time() + delay_s, chunk
                await trio.sleep_until(self._arriving[0])
                chunk, self._arriving = self._arriving[1], None
                if chunk:
                    return chunk
        except (trio.EndOfChannel, trio.ClosedResourceError) as error:
            raise LineLost("lost") from error

    def lend(self) -> int:
        raise LineLost("not_lendable")

    def take_back(self) -> None:
        """Nothing was lent."""

    def close(self) -> None:
        self._outbound.close()
        self._inbound.close()


def memory_lines(there: Wire, back: Wire) -> tuple[MemoryLine, MemoryLine]:
    """The two ends of one line: what the first sends goes over ``there``, what the second sends over ``back``."""
    there_in, there_out = trio.open_memory_channel[tuple[float, bytes]](IN_FLIGHT_MAX)
    back_in, back_out = trio.open_memory_channel[tuple[float, bytes]](IN_FLIGHT_MAX)
    return MemoryLine(there, there_in, back_out), MemoryLine(back, back_in, there_out)
