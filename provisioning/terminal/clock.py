"""The terminal's clock: what can be known alone, what the fleet says, and who puts the board's clock right.

The rule is pure (``rules/time.py``). The board's clock is set by a privileged unit behind the port ``SetClock``; until
that has done it, and where there is none, ``now`` counts on from what is known, so that the agent itself is right.
"""

import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import trio

from kiosk.ports import HostLink, HostRefused, Log, OutcomeUnknown
from provisioning.rules.time import TIMESTAMP_DAYS, Moments, Reading, read_alone, read_told

TIME_PATH = "/enrolment/v1/time"
AGAIN_S = 30.0  # while nobody has told the time
LOOK_S = 6 * 3600.0  # afterwards: a board loses seconds a day
CLAIM, TIMESTAMP = Path("identity") / "claim.json", Path("tuf") / "timestamp.json"
WRITTEN = ("journal.db", "journal.db-wal")

SetClock = Callable[[datetime], Awaitable[bool]]  # whether the board's clock stands there now


class TimeLink(HostLink, Protocol):
    """Shows nothing and looks at no dates: ``HttpsHostLink(..., for_time=True)``."""

    def close(self) -> None: ...


def _board() -> datetime:
    return datetime.now(UTC)


@dataclass
class TerminalClock:
    """``home`` of the agent, ``data_dir`` of the journal: for what has happened already. ``ask``: a link that asks the
    time, opened anew each time. ``board_runs``: it has a battery."""

    home: Path
    data_dir: Path
    build: datetime
    board_runs: bool
    set_clock: SetClock
    ask: Callable[[], TimeLink]
    log: Log
    board: Callable[[], datetime] = _board
    running_s: Callable[[], float] = time.monotonic
    _reading: Reading | None = None
    _ahead: timedelta = field(default_factory=timedelta)  # of what we believe before the board's clock

    def now(self) -> datetime:
        return self.board() + self._ahead

    def believed(self) -> datetime | None:
        """None: it is only surely this late."""
        return self.now() if self._reading is not None and self._reading.believed else None

    async def settle(self) -> None:
        """Alone, at the start: no clock stands before what has happened."""
        await self._take(read_alone(self.moments(), self.board_runs))

    async def keep(self) -> None:
        """For ever: ask the fleet until it has told, and again now and then."""
        while True:
            told = await self._told()
            if told is not None:
                await self._take(read_told(self.moments(), told))
            await trio.sleep(LOOK_S if told is not None else AGAIN_S)

    def moments(self) -> Moments:
        documents = (_issued(self.home / CLAIM), _stamped(self.home / TIMESTAMP))
        signed = [moment for moment in documents if moment is not None]
        written = [moment for name in WRITTEN if (moment := _changed(self.data_dir / name)) is not None]
        return Moments(self.board(), self.build, max(written, default=None), max(signed, default=None))

    async def _told(self) -> datetime | None:
        link = self.ask()
        began_s = self.running_s()
        try:
            answer = await link.call("GET", TIME_PATH)
            moment = datetime.fromisoformat(answer.body["time"])
        except (HostRefused, OutcomeUnknown, KeyError, TypeError, ValueError):
            return None
        finally:
            link.close()
        return moment + timedelta(seconds=(self.running_s() - began_s) / 2) if moment.tzinfo else None

    async def _take(self, reading: Reading) -> None:
        before, self._reading = self._reading, reading
        if reading.step:
            ahead_s = round((reading.now - self.board()).total_seconds())
            done = await self.set_clock(reading.now)
            self._ahead = timedelta() if done else reading.now - self.board()
            self.log("clock_set", outcome="done" if done else "not_set", count=ahead_s)
        elif before is None or before.believed != reading.believed:
            self._ahead = timedelta()
            self.log("clock_read", outcome="believed" if reading.believed else "lower_bound")


def _issued(path: Path) -> datetime | None:
    """When a document that was judged when it was taken was signed."""
    try:
        told = json.loads(path.read_bytes())
        moment = datetime.fromisoformat(told.get("document", told)["issued_at"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return moment if moment.tzinfo else None


def _stamped(path: Path) -> datetime | None:
    """When kept TUF timestamp metadata, also of a stick, was signed at the earliest: it says only its end."""
    try:
        ends = datetime.fromisoformat(json.loads(path.read_bytes())["signed"]["expires"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return ends - timedelta(days=TIMESTAMP_DAYS) if ends.tzinfo else None


def _changed(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return None
