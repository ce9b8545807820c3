"""The complaint desk: what became of an act, for whoever must explain it; and money that is still somewhere.

Each look needs a reason and stands on the audit trail. No page here has a name or a card number: those take the
custodians (docs/recovery.md).
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from starlette.responses import Response

from provisioning.fleet.actor import NotFound, Refused
from provisioning.fleet.console.page import Page
from provisioning.fleet.console.render import TIME_ZONE, show
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.ledger.desk import Wanted, look_up, open_cases
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.terminals import Terminal

SHOWN_MAX = 100


def draw(visit: Visit) -> Response:
    _must_hear(visit)
    return _shown(visit, None)


def search(visit: Visit) -> Response:
    _must_hear(visit)
    wanted = Wanted(
        terminal_id=visit.field("terminal", 16),
        case_code=visit.field("code", 12).replace(" ", ""),
        card_index=visit.field("card", 64).lower(),
        begins=_moment(visit, "begins"),
        ends=_moment(visit, "ends"),
    )
    if wanted.begins is not None and wanted.ends is None:
        wanted = Wanted(**{**vars(wanted), "ends": wanted.begins + timedelta(hours=1)})
    return _shown(visit, look_up(visit.actor, wanted, visit.field("why"), visit.at_ms))


def _shown(visit: Visit, found: object) -> Response:
    seen = [one.terminal_id for one in _terminals(visit)]
    cases = open_cases(visit.actor, seen)[:SHOWN_MAX] if seen else []
    return show(visit, "complaints.html", found=found, cases=cases)


def _terminals(visit: Visit) -> list[Terminal]:
    mine = (Terminal.tenant == visit.city) & visit.sees(Place.path)
    return list(Terminal.select(Terminal.terminal_id).join(Place).where(mine))


def _moment(visit: Visit, name: str) -> datetime | None:
    """Raises Refused: not a time."""
    told = visit.field(name, 20)
    if not told:
        return None
    try:
        return datetime.fromisoformat(told).replace(tzinfo=ZoneInfo(visit.city.settings.get("time_zone", TIME_ZONE)))
    except ValueError:
        raise Refused("bad_time", "This is no day and hour.") from None


def _must_hear(visit: Visit) -> None:
    if not visit.may("complaints"):
        raise NotFound


ROUTES = [Page("/console/{tenant}/complaints", draw, {"search": search}).route()]
