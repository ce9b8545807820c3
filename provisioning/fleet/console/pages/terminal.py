"""One terminal: how it is, what it did, what was asked of it."""

import msgspec
from starlette.responses import Response

from provisioning.fleet.actor import NotFound
from provisioning.fleet.console.machine import lines
from provisioning.fleet.console.page import Page
from provisioning.fleet.console.render import show
from provisioning.fleet.console.standing import terminals
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.schema.terminals import Certificate, Terminal, TerminalEvent
from provisioning.rules.poll import Health

EVENTS = 100


def terminal_of(visit: Visit) -> Terminal:
    """The one in the path, with place, health and standing. Raises NotFound: not of this city, or not theirs to see."""
    terminal: Terminal | None = terminals(visit).where(Terminal.terminal_id == visit.params["terminal_id"]).first()
    if terminal is None:
        raise NotFound
    return terminal


def report_of(terminal: Terminal) -> Health | None:
    """What it told last. None: nothing yet."""
    health = getattr(terminal, "health", None)
    return msgspec.convert(health.report, Health) if health is not None and health.report else None


def draw(visit: Visit) -> Response:
    terminal = terminal_of(visit)
    certificates = (
        Certificate.select().where(Certificate.terminal == terminal).order_by(Certificate.not_after_ms.desc())
    )
    events = TerminalEvent.select().where(TerminalEvent.terminal == terminal).order_by(TerminalEvent.id.desc())
    told = {"certificates": list(certificates.limit(10)), "events": list(events.limit(EVENTS))}
    report = report_of(terminal)
    machine = list(lines(visit, report.machine)) if report else []
    return show(visit, "terminal.html", terminal=terminal, report=report, machine=machine, **told)


ROUTES = [Page("/console/{tenant}/terminals/{terminal_id}", draw).route()]
