"""Pieces that serial protocols share: check sums, hex expansion, and bounded assembly of frames that begin with STX.

No IO and no clock: a driver that knows about time calls ``Assembler.give_up`` after a gap on the line.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from operator import xor

STX = 0x02
ETX = 0x03
HEX_DIGITS = frozenset(b"0123456789ABCDEFabcdef")

MORE = 0  # a judge's verdict: so far so good, the frame is not complete
NOT_A_FRAME = -1


def bcc(body: bytes) -> int:
    """Block check character: XOR of all bytes."""
    return reduce(xor, body, 0)


def expand_hex(body: bytes) -> bytes:
    """Each byte as two upper-case ASCII hex characters, high half first (拆分)."""
    return body.hex().upper().encode("ascii")


def join_hex(text: bytes) -> bytes:
    """The inverse of ``expand_hex``; takes lower case too.

    Raises:
        ValueError: an odd number of characters, or one that is no hex digit. The message holds no content.
    """
    if len(text) % 2 or not HEX_DIGITS.issuperset(text):
        raise ValueError("not hex-expanded")
    return bytes.fromhex(text.decode("ascii"))


@dataclass(frozen=True)
class Framed:
    """A whole frame from STX on. Never shown: it may hold what no log may."""

    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Loose:
    """One byte outside any frame."""

    value: int = field(repr=False)


Piece = Framed | Loose


class Assembler:
    """Cuts a stream into frames and loose bytes, one byte at a time, so that no split of the stream changes the result.

    ``judge`` sees a candidate that begins with STX and answers its size when complete, ``MORE`` or ``NOT_A_FRAME``.
    What follows a false STX is dropped up to the next STX in it and never comes out as loose bytes: the inside of
    a damaged frame must not be taken for key presses.
    """

    def __init__(self, judge: Callable[[bytes], int], size_max: int) -> None:
        self._judge = judge
        self._size_max = size_max
        self._candidate = bytearray()

    @property
    def in_frame(self) -> bool:
        """Whether a frame has begun and is not complete."""
        return bool(self._candidate)

    def give_up(self) -> list[Piece]:
        """The line was quiet for longer than a frame permits: the STX was false, so look again at what followed it."""
        pieces: list[Piece] = []
        while self._candidate:
            for value in self._after_false_start():
                self._take(value, pieces)
        return pieces

    def receive(self, chunk: bytes | bytearray) -> list[Piece]:
        """All pieces that ``chunk`` completes. Holds back at most ``size_max`` bytes."""
        pieces: list[Piece] = []
        for value in chunk:
            self._take(value, pieces)
        return pieces

    def _take(self, value: int, pieces: list[Piece]) -> None:
        waiting = bytearray([value])
        while waiting:
            byte = waiting.pop(0)
            if not self._candidate and byte != STX:
                pieces.append(Loose(byte))
                continue
            self._candidate.append(byte)
            verdict = self._judge(bytes(self._candidate))
            if verdict > 0:
                pieces.append(Framed(bytes(self._candidate)))
                self._candidate.clear()
            elif verdict == NOT_A_FRAME or len(self._candidate) >= self._size_max:
                waiting = self._after_false_start() + waiting

    def _after_false_start(self) -> bytearray:
        following = self._candidate.find(STX, 1)
        rest = self._candidate[following:] if following > 0 else bytearray()
        self._candidate.clear()
        return rest
