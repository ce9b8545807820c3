"""How many polls a process takes on: what is more is told to come later, and no city takes the room of another.

A poll costs the same whether a terminal has much to tell or little, so they are counted second by second. Where the
process cannot keep up (its loop wakes late), it takes on fewer until it can.
"""

from dataclasses import dataclass, field
from random import Random

from provisioning.fleet.settings import Polls

LATE_S = 0.25  # a loop that wakes this late is behind
LEAST = 0.05  # of the room, however late it is
FEW, CROWDED = 0.02, 1.5  # of the room: what each city always has, as long as all together have no more than that
HEARD_S = 900  # a city is about for so long after its last poll
SHRINKS, GROWS = 0.7, 1.1
SHED_COUNTS_FOR_S = 60.0  # how long those who were sent away are expected back


@dataclass
class Room:
    """``now_s`` is monotonic. Not for threads."""

    settings: Polls
    chance: Random = field(default_factory=Random)
    share: float = 1.0
    _second: int = 0
    _taken: dict[str, int] = field(default_factory=dict)  # in this second, by city
    _all: int = 0
    _heard: dict[str, int] = field(default_factory=dict)  # city -> second in which it asked last
    _sent_away: float = 0.0

    def enter(self, city: str, now_s: float) -> bool:
        """Whether this poll is taken on. It leaves by itself when its second is over."""
        if int(now_s) != self._second:
            self._next_second(int(now_s))
        self._heard[city] = self._second
        taken = self._taken.get(city, 0)
        fits = self._fits(taken)
        self._taken[city], self._all = taken + fits, self._all + fits
        self._sent_away += not fits
        return fits

    def _fits(self, taken: int) -> bool:
        """A few of each city always do, whoever storms; beyond them nobody has more than its share while others are
        about, heard lately or not a moment ago."""
        room = self.settings.per_second_max * self.share
        if taken < room * FEW and self._all < room * CROWDED:
            return True
        return self._all < room and (taken < room * self.settings.tenant_share or len(self._heard) == 1)

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
        self._sent_away *= (1 - 1 / SHED_COUNTS_FOR_S) ** min(passed, 10 * SHED_COUNTS_FOR_S)
        self._second, self._taken, self._all = second, {}, 0
        if second % HEARD_S == 0 or passed > HEARD_S:
            self._heard = {city: last for city, last in self._heard.items() if second - last <= HEARD_S}
