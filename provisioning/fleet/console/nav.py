"""The parts of the console, in the order of the menu; each is shown to whoever may do its act somewhere in the city."""

from collections.abc import Callable
from dataclasses import dataclass

from provisioning.fleet import proposals
from provisioning.fleet.alerts import acts as alerts
from provisioning.fleet.calls import acts as calls
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.enrolment import presence, requests
from provisioning.fleet.l10n.catalog import msg


def proposals_for(visit: Visit) -> int:
    """How many wait for this person's yes or no."""
    return len(proposals.waiting_for(visit.actor, visit.at_ms))


def requests_waiting(visit: Visit) -> int:
    """New terminals that want an answer, and doubts."""
    return sum(1 for _ in requests.waiting(visit.actor)) + sum(1 for _ in presence.doubted(visit.actor))


def help_wanted(visit: Visit) -> int:
    """Calls and alerts that nobody has yet."""
    paths = [one.path for one in visit.held]
    free = sum(alert.acknowledged_ms is None for alert in alerts.open_alerts(visit.actor, paths))
    return free + len(calls.waiting(visit.actor, paths))


@dataclass(frozen=True)
class Part:
    """``path`` below the city's pages. ``count``: what waits there for this person."""

    path: str
    words: str
    act: str = "look"
    count: Callable[[Visit], int] | None = None


PARTS = (
    Part("/", msg("Overview")),
    Part("/proposals", msg("To approve"), count=proposals_for),
    Part("/calls", msg("Help wanted"), count=help_wanted),
    Part("/terminals", msg("Terminals")),
    Part("/places", msg("Places")),
    Part("/enrolment", msg("New terminals"), "enrol", count=requests_waiting),
    Part("/settings", msg("Settings")),
    Part("/rollouts", msg("Updates")),
    Part("/keys", msg("Keys"), "keys"),
    Part("/keys", msg("Keys"), "keys_bank"),
    Part("/complaints", msg("Complaints"), "complaints"),
    Part("/alerts", msg("What alerts")),
    Part("/expiring", msg("What ends")),
    Part("/people", msg("People")),
    Part("/audit", msg("Audit trail"), "audit"),
)


@dataclass(frozen=True)
class Entry:
    path: str
    words: str
    here: bool
    count: int


def parts(visit: Visit) -> list[Entry]:
    """What this person's menu has; a part that two acts lead to is there once."""
    mine = {part.path: part for part in PARTS if visit.may(part.act)}
    return [_entry(visit, part) for part in mine.values()]


def _entry(visit: Visit, part: Part) -> Entry:
    path = f"{visit.base}{part.path}"
    here = visit.path == path if part.path == "/" else visit.path.startswith(path)
    return Entry(path, visit.say(part.words), here, part.count(visit) if part.count else 0)
