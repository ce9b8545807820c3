"""Parts of keys typed at the simulated pad's own keys: commands 23 and 24 of the KMY family.

One command asks for one part and is answered when that is in; the pad keeps the first one for a while and makes the key
of both by XOR, inside. All of this is INVENTED (docs/devices/pin_pad_kmy.md): the public texts name the commands only.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from simulators.devices.kmy_crypto import xor

OK, BAD_PARAMETER, TIMED_OUT = 0x04, 0x15, 0x80
STAR = 0x2A
PART_S_MAX = 180.0  # for one part
KEPT_S_MAX = 900.0  # for the first of two
HEX_OF = {
    **{str(digit): str(digit) for digit in range(10)},
    **{f"f{number}": letter for number, letter in enumerate("ABCDEF", 1)},
}
DIGITS_MAX = 48
LENGTHS = (16, 32, 48)

Place = tuple[int, int | None]  # master, and the number of a working key


def place_of(code: int, data: bytes) -> Place | None:
    """Where the key goes: 23 M, or 24 M N in verify mode, as command 33 with N from 40. None: neither."""
    if code == 0x23:
        return (data[0], None) if len(data) == 1 and data[0] < 16 else None
    number = data[1] - 0x40 if len(data) == 2 else -1
    return (data[0], number) if 0 <= number < 64 and number // 4 == data[0] else None


@dataclass
class _Asked:
    place: Place
    ends_at_s: float
    digits: list[str] = field(default_factory=list, repr=False)


@dataclass(frozen=True)
class _Kept:
    place: Place
    part: bytes = field(repr=False)
    until_s: float


class TypedParts:
    """``store`` puts a finished key into its place and says what the reply carries; ``reply`` and ``byte`` go out."""

    def __init__(
        self,
        store: Callable[[Place, bytes], bytes],
        reply: Callable[[int, bytes], None],
        byte: Callable[[int], None],
    ) -> None:
        self._store, self._reply, self._byte = store, reply, byte
        self.forget()

    def forget(self) -> None:
        """No part is left. The keys that were in their places stay there."""
        self._asked: _Asked | None = None
        self._kept: _Kept | None = None

    def stop_asking(self) -> None:
        """The part that is being typed is dropped; the one before it is kept."""
        self._asked = None

    @property
    def asking(self) -> bool:
        return self._asked is not None

    @property
    def can_time_out(self) -> bool:
        return self._asked is not None or self._kept is not None

    @property
    def display(self) -> str:
        return "*" * len(self._asked.digits) if self._asked else ""

    def ask(self, place: Place, now_s: float) -> None:
        if self._kept is not None and self._kept.place != place:
            self._kept = None
        self._asked = _Asked(place, now_s + PART_S_MAX)
        self._now_s = now_s

    def tick(self, now_s: float) -> None:
        self._now_s = now_s
        if self._kept is not None and now_s >= self._kept.until_s:
            self._kept = None
        if self._asked is not None and now_s >= self._asked.ends_at_s:
            self.forget()
            self._byte(TIMED_OUT)
            self._reply(TIMED_OUT, b"")

    def press(self, name: str, value: int) -> None:
        asked = self._asked
        assert asked is not None, "only while it asks"
        if name in HEX_OF and len(asked.digits) < DIGITS_MAX:
            asked.digits.append(HEX_OF[name])
            self._byte(STAR)
        elif name == "clear" and asked.digits:
            asked.digits.pop()
            self._byte(value)
        elif name == "cancel":
            self._end(value, BAD_PARAMETER)
        elif name == "enter":
            self._finish(asked, value)

    def _finish(self, asked: _Asked, value: int) -> None:
        if len(asked.digits) not in LENGTHS:
            self._end(value, BAD_PARAMETER)
            return
        part, first = bytes.fromhex("".join(asked.digits)), self._kept
        if first is None:
            self._kept = _Kept(asked.place, part, self._now_s + KEPT_S_MAX)
            self._end(value, OK, b"\x01")
        elif len(part) != len(first.part) or part == first.part:
            self._end(value, BAD_PARAMETER)  # two equal parts would make a key of zeros
        else:
            self._kept = None
            self._end(value, OK, b"\x02" + self._store(asked.place, xor(part, first.part)))

    def _end(self, value: int, status: int, data: bytes = b"") -> None:
        self._asked = None
        self._byte(value)
        self._reply(status, data)
