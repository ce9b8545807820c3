"""What every simulated device on a line looks like, whatever the line is."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable


class LineDevice(Protocol):
    """The device's side of a serial line; knows nothing of ptys or sockets.

    Whoever carries it sets ``wire``, feeds ``receive``, and calls ``tick`` at least ten times a second.
    """

    wire: Callable[[bytes], None]

    def receive(self, chunk: bytes) -> None:
        """Bytes from the terminal, split anywhere."""
        ...

    def tick(self, now_s: float) -> None:
        """Let time pass (monotonic seconds): time-outs inside the device."""
        ...

    def power_cut(self) -> None:
        """Lose everything that is not in non-volatile memory."""
        ...


@runtime_checkable
class QuietDevice(LineDevice, Protocol):
    """A device that can say when time does not matter to it, so that an idle terminal costs no CPU.

    The carrier ticks once right before each ``receive`` and regularly only while ``can_time_out``.
    """

    @property
    def can_time_out(self) -> bool:
        """Whether anything inside waits for time to pass. Becomes true only by ``receive``."""
        ...
