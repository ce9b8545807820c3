"""What the line says while a part of a key is typed at the pad: stars, and the key that ended it."""

import trio

from drivers.pin_pad.kmy import codec
from drivers.pin_pad.kmy.codec import Key
from kiosk.domain.card import PinProgress, PinPrompt
from kiosk.ports.devices import Progress

_CLEAR_DIGITS = codec.DIGITS | frozenset(codec.FUNCTION_KEYS)
_ENDS = (Key.ENTER, Key.CANCEL, Key.TIMED_OUT)


class ComponentEntry:
    """The pad's object hands it each key byte by ``take``; the reply to the command tells when it is over."""

    def __init__(self, digits_max: int, progress: Progress) -> None:
        self._digits_max = digits_max
        self._progress = progress
        self._digits = 0
        self.ended_by: int | None = None
        self.stop = trio.Event()  # the pad told a digit, or the driver ended
        self.told_clear = False

    def take(self, key: int) -> None:
        if key in _CLEAR_DIGITS:
            self.told_clear = True
            self.stop.set()
        elif key in _ENDS:
            self.ended_by = key
        elif key in (Key.STAR, Key.CLEAR):
            self._digits = min(max(self._digits + (1 if key == Key.STAR else -1), 0), self._digits_max)
            self._progress(PinProgress(PinPrompt.CURRENT, self._digits))

    def cut(self) -> None:
        self.stop.set()
