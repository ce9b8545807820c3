"""Relay boards of the LCUS family (LC Technology, CH340 on USB, 9600 8N1): bytes for one relay, and what it answers.

A command is ``A0 channel state check``: channel from 1, state 00 off or 01 on, check the low byte of the sum of the
three before it. It says how the relay shall be, not that it shall change, so it may be repeated. Nothing confirms it.
``FF`` asks for the state of all relays; boards answer a line ``CH1: ON`` or ``CH1: OFF`` for each, or nothing. Sources:
docs/devices/lights_lcus.md.
"""

from dataclasses import dataclass

START = 0xA0
CHANNELS_MAX = 8
STATUS = b"\xff"
LINE_BYTES_MAX = 16

_STATES = {b"ON": True, b"OFF": False}


def switch(channel: int, on: bool) -> bytes:
    """One relay on or off."""
    assert 1 <= channel <= CHANNELS_MAX
    return bytes((START, channel, on, (START + channel + on) & 0xFF))


@dataclass(frozen=True)
class Relay:
    """What the board says of one relay."""

    channel: int
    on: bool


class Decoder:
    """Status lines in, relays out. What else arrives is passed over; holds back at most ``LINE_BYTES_MAX`` bytes."""

    def __init__(self) -> None:
        self._held = bytearray()

    def receive(self, chunk: bytes) -> list[Relay]:
        found: list[Relay] = []
        for value in chunk:
            if value in b"\r\n":
                relay = _relay(bytes(self._held))
                found += [relay] if relay else []
                self._held.clear()
            else:
                self._held.append(value)
                del self._held[:-LINE_BYTES_MAX]
        return found


def _relay(line: bytes) -> Relay | None:
    """``CH1: ON``, with any spaces. A line that is longer, or of another kind, is noise."""
    head, colon, state = line.strip().partition(b":")
    channel, on = head[2:], _STATES.get(state.strip())
    if not (head[:2] == b"CH" and colon and len(channel) == 1 and channel.isdigit() and on is not None):
        return None
    number = int(channel)
    return Relay(number, on) if 1 <= number <= CHANNELS_MAX else None
