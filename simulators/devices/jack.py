"""A headset jack as the kernel tells of it: ``struct input_event`` for a switch that opens and closes.

Written from linux/input.h and linux/input-event-codes.h, not from the driver. On a pty there is nobody to ask how the
switch stands, so it is told again when power comes back.
"""

import struct
import time
from collections.abc import Callable, Mapping

from simulators.worlds.world import World

FAULTS = ("silent",)  # the cable between jack and board is broken: nothing is told any more
_EVENT = "@llHHi"
_SWITCH, _HEADPHONES_IN = 5, 2


class HeadsetJack:
    """Implements ``simulators.lines.QuietDevice``."""

    can_time_out = False

    def __init__(self) -> None:
        self.wire: Callable[[bytes], None] = lambda chunk: None
        self.faults: set[str] = set()
        self.plugged = False

    def press(self, name: str) -> None:
        """``headset`` puts a plug in or takes it out; else a fault on or off. Raises KeyError: no such name."""
        if name == "headset":
            self.plug(not self.plugged)
            return
        if name not in FAULTS:
            raise KeyError(name)
        self.faults ^= {name}

    def plug(self, plugged: bool) -> None:
        if plugged != self.plugged:
            self.plugged = plugged
            self._tell()

    def tick(self, now_s: float) -> None:
        """Nothing here waits."""

    def receive(self, chunk: bytes) -> None:
        """Nobody talks to a jack."""

    def power_cut(self) -> None:
        """The plug stays where it is."""
        self._tell()

    def _tell(self) -> None:
        if not self.faults:
            now = time.time()
            at = (int(now), int(now % 1 * 1e6))
            self.wire(
                struct.pack(_EVENT, *at, _SWITCH, _HEADPHONES_IN, self.plugged) + struct.pack(_EVENT, *at, 0, 0, 0)
            )


def build(world: World, options: Mapping[str, str]) -> HeadsetJack:
    return HeadsetJack()
