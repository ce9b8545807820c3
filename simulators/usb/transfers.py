"""Bulk transfers that a computer has asked for and the device has not finished: no room yet, or nothing to say."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from simulators.usb.device import BulkDevice

WAITING_MAX = 256  # of a kind; qemu and the kernel's vhci keep far fewer open


@dataclass
class _Out:
    number: int
    rest: bytes
    length: int


@dataclass(frozen=True)
class Done:
    """``length`` bytes went over; ``content`` is what the device said, empty for the other way."""

    number: int
    to_host: bool
    length: int
    content: bytes = b""


class TooManyTransfers(Exception):
    """Nobody keeps so many open: the other side is broken."""


class BulkTransfers:
    """``done`` is called once for each transfer, in each direction in the order of asking."""

    def __init__(self, device: BulkDevice, done: Callable[[Done], None]) -> None:
        self._device, self._done = device, done
        self._out: deque[_Out] = deque()
        self._in: deque[tuple[int, int]] = deque()  # number, length
        self._pumping = False
        device.said.clear()
        device.on_said = self.pump

    def send(self, number: int, chunk: bytes) -> None:
        """Raises TooManyTransfers."""
        self._check_count(self._out)
        self._out.append(_Out(number, chunk, len(chunk)))
        self.pump()

    def ask(self, number: int, length: int) -> None:
        """Raises TooManyTransfers."""
        self._check_count(self._in)
        self._in.append((number, length))
        self.pump()

    def asks(self, number: int) -> bool:
        """Whether this one is open, and waits for something to be said."""
        return any(one == number for one, _ in self._in)

    def cancel(self, number: int) -> bool:
        """Whether it was still open. Bytes that the device took already stay taken."""
        before = len(self._out) + len(self._in)
        self._out = deque(one for one in self._out if one.number != number)
        self._in = deque(one for one in self._in if one[0] != number)
        return len(self._out) + len(self._in) < before

    @property
    def waits_for_room(self) -> bool:
        return bool(self._out)

    def pump(self) -> None:
        """Whatever can go over now goes over. A device that answers while it takes calls this in the middle of it."""
        if self._pumping:
            return
        self._pumping = True
        try:
            self._pump_out()
            self._pump_in()
        finally:
            self._pumping = False

    def _pump_out(self) -> None:
        while self._out:
            first = self._out[0]
            now = first.rest[: max(0, self._device.room)]
            if first.rest and not now:
                break
            first.rest = first.rest[len(now) :]
            if not first.rest:
                self._out.popleft()
            self._device.take(now)
            if not first.rest:
                self._done(Done(first.number, False, first.length))

    def _pump_in(self) -> None:
        while self._in and self._device.said:
            number, length = self._in.popleft()
            content = bytes(self._device.said[:length])
            del self._device.said[:length]
            self._done(Done(number, True, len(content), content))

    def _check_count(self, waiting: deque[_Out] | deque[tuple[int, int]]) -> None:
        if len(waiting) >= WAITING_MAX:
            raise TooManyTransfers
