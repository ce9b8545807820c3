"""A relay board of the LCUS family with a lamp on each relay: the board's side of the wire.

Written from the makers' descriptions and public programs (docs/devices/lights_lcus.md), not from the driver.
"""

from collections.abc import Callable, Mapping

from simulators.worlds.world import World

FAULTS = (
    "silent",  # obeys, and never answers
    "off",  # no power: neither obeys nor answers
    "stuck",  # answers, and its relays stay as they are
    "hurried",  # a command less than 50 ms after the one before is lost
)
_REST_S = 0.05


class LcusBoard:
    """Implements ``simulators.lines.QuietDevice``. ``lit``: relays that are on. ``on_change``: called at a click."""

    can_time_out = False

    def __init__(self, relays: int = 8, on_change: Callable[[], None] = lambda: None) -> None:
        self.wire: Callable[[bytes], None] = lambda chunk: None
        self.faults: set[str] = set()
        self.lit: frozenset[int] = frozenset()
        self.clicks = 0  # a relay has some 100,000 of them in its life
        self._relays, self._on_change = relays, on_change
        self._held = b""
        self._now_s = self._obeyed_at_s = 0.0

    def press(self, name: str) -> None:
        """Put a fault on or off. Raises KeyError: no such fault."""
        if name not in FAULTS:
            raise KeyError(name)
        self.faults ^= {name}

    def tick(self, now_s: float) -> None:
        self._now_s = now_s

    def power_cut(self) -> None:
        """Every relay falls off."""
        self._held = b""
        self._light(frozenset())

    def receive(self, chunk: bytes) -> None:
        if "off" in self.faults:
            return
        self._held += chunk
        while self._held:
            used = self._take()
            if not used:
                return
            self._held = self._held[used:]

    def _take(self) -> int:
        """Obey what stands first; how many bytes that was, 0 while it is incomplete."""
        first, frame = self._held[0], self._held[:4]
        if first == 0xFF:
            self._tell()
            return 1
        if first != 0xA0:
            return 1
        if len(frame) < 4:
            return 0
        _, relay, state, check = frame
        if check != (0xA0 + relay + state) % 256 or not 1 <= relay <= self._relays or state > 1:
            return 1
        self._obey(relay, bool(state))
        return 4

    def _obey(self, relay: int, on: bool) -> None:
        hurried = "hurried" in self.faults and self._now_s - self._obeyed_at_s < _REST_S
        self._obeyed_at_s = self._now_s
        if not hurried and "stuck" not in self.faults:
            self._light(self.lit | {relay} if on else self.lit - {relay})

    def _light(self, lit: frozenset[int]) -> None:
        if lit != self.lit:
            self.clicks += len(lit ^ self.lit)
            self.lit = lit
            self._on_change()

    def _tell(self) -> None:
        if "silent" not in self.faults:
            lines = (f"CH{relay}: {'ON' if relay in self.lit else 'OFF'}\r\n" for relay in range(1, self._relays + 1))
            self.wire("".join(lines).encode("ascii"))


def build(world: World, options: Mapping[str, str]) -> LcusBoard:
    """Option ``relays``: how many there are."""
    return LcusBoard(int(options.get("relays", "8")))
