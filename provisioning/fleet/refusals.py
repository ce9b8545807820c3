"""Callers that were turned away, on the audit trail of every city concerned; a storm of them fills no trail."""

from dataclasses import dataclass, field
from threading import Lock

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor
from provisioning.fleet.database import step
from provisioning.fleet.schema.places import Tenant

ROWS_MAX = 60  # of a city and process in one ``WINDOW_MS``; how many more there were stands in the next row
WINDOW_MS = 3_600_000
ACT = "turned_away"


@dataclass
class _Window:
    begins_ms: int
    rows: int = 0
    passed_over: int = 0


@dataclass
class Refusals:
    """One for each process. ``passed_over`` of a city: turned away since its last row without a row of their own."""

    _windows: dict[str, _Window] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def record(self, cities: set[str], who: str, reason: str, asked: str, at_ms: int) -> None:
        """One row in each of ``cities`` that exists. ``asked``: method and path. Touches the database."""
        for city in sorted(cities & _known(cities)):
            before = self._room(city, at_ms)
            if before is None:
                continue
            facts = {"asked": asked[:200], "passed_over": before}
            with step():
                audit.record(Actor(city, who[:80]), at_ms, ACT, who[:80], reason, facts)

    def _room(self, city: str, at_ms: int) -> int | None:
        """How many were passed over before this one; None: this one is, too."""
        with self._lock:
            window = self._windows.get(city)
            if window is None or not 0 <= at_ms - window.begins_ms < WINDOW_MS:
                window = self._windows[city] = _Window(at_ms, 0, window.passed_over if window else 0)
            if window.rows >= ROWS_MAX:
                window.passed_over += 1
                return None
            window.rows, before, window.passed_over = window.rows + 1, window.passed_over, 0
            return before


def _known(cities: set[str]) -> set[str]:
    """A name in a path that is no city has no trail; it must not become an entry in memory either."""
    return {row.code for row in Tenant.select(Tenant.code).where(Tenant.code.in_(cities))} if cities else set()
