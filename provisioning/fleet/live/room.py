"""How many polls a process takes on: what is more is told to come later, and no city takes the room of another.

A poll costs the same whether a terminal has much to tell or little, so they are counted second by second. Where the
process cannot keep up (its loop wakes late), it takes on fewer until it can.
"""

from dataclasses import dataclass, field
from random import Random

from provisioning.fleet.settings import Polls

LATE_S = 0.25  # a loop that wakes this late is behind
LEAST = 0.05  # of the room, however late it is
SHRINKS, GROWS = 0.7, 1.1
SHED_COUNTS_FOR_S = 60.0  # how long those who were sent away are expected back


@dataclass
class Room:
    """``now_s`` is monotonic. Not for threads."""

    settings: Polls
    chance: Random = field(default_factory=Random)
    share: float = 1.0
    _second: int = 0
    _taken: dict[str, int] = field(default_factory=dict)
    _others: frozenset[str] = frozenset()  # cities that asked in the second before
    _sent_away: float = 0.0

    def enter(self, city: str, now_s: float) -> bool:
        """Whether this poll is taken on. It leaves by itself when its second is over."""
        if int(now_s) != self._second:
            self._next_second(int(now_s))
        room = self.settings.per_second_max * self.share
        taken = self._taken.get(city, 0)
        alone = not self._others - {city} and len(self._taken.keys() - {city}) == 0
        fits = sum(self._taken.values()) < room and (alone or taken < room * self.settings.tenant_share)
        self._taken[city] = taken + fits
        self._sent_away += not fits
        return fits

    def retry_after_s(self) -> float:
        """Spread so wide that those who were sent away come back no faster than there is room for them."""
        backlog_s = self._sent_away / max(1.0, self.settings.per_second_max * self.share)
        least = self.settings.retry_after_s
        return least + self.chance.random() * max(least, backlog_s)

    def woke(self, late_s: float) -> None:
        """Tell how late the loop woke up, now and then."""
        self.share = max(LEAST, self.share * SHRINKS) if late_s > LATE_S else min(1.0, self.share * GROWS)

    def _next_second(self, second: int) -> None:
        passed = max(1, second - self._second)
        self._others = frozenset(self._taken) if passed == 1 else frozenset()
        self._sent_away *= (1 - 1 / SHED_COUNTS_FOR_S) ** min(passed, 10 * SHED_COUNTS_FOR_S)
        self._second, self._taken = second, {}
