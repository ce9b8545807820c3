"""Events of an input device: ``struct input_event`` of this machine (linux/input.h), and the switches among them.

Codes from linux/input-event-codes.h. A queue that ran over is told by SYN_DROPPED (kernel, Documentation/input/
event-codes.rst): what was read before it may be old, and the state must be asked for anew.
"""

import struct
import sys
from dataclasses import dataclass

EVENT = struct.Struct("@llHHi")  # seconds, microseconds, type, code, value
EV_SYN, EV_SW = 0x00, 0x05
SYN_DROPPED = 3
SW_HEADPHONE_INSERT = 0x02
SW_MAX = 0x10


@dataclass(frozen=True)
class Switched:
    """The switch ``code`` is now closed (something is plugged in) or open."""

    code: int
    on: bool


@dataclass(frozen=True)
class Dropped:
    """Events were lost."""


class Decoder:
    """Bytes split anywhere. Never holds more than one event; what is no switch is passed over."""

    def __init__(self) -> None:
        self._held = b""

    def receive(self, chunk: bytes) -> list[Switched | Dropped]:
        self._held += chunk
        whole = len(self._held) // EVENT.size * EVENT.size
        frames, self._held = self._held[:whole], self._held[whole:]
        found: list[Switched | Dropped] = []
        for _, _, kind, code, value in EVENT.iter_unpack(frames):
            if kind == EV_SW:
                found.append(Switched(code, bool(value)))
            elif (kind, code) == (EV_SYN, SYN_DROPPED):
                found.append(Dropped())
        return found


def is_on(switches: bytes, code: int) -> bool:
    """A bit of what EVIOCGSW answers: an array of unsigned long of this machine."""
    return bool(int.from_bytes(switches, sys.byteorder) >> code & 1)
