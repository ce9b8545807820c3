"""One terminal: how it is, what it did, what was asked of it."""

from pathlib import Path

import msgspec
from starlette.responses import FileResponse, Response

from kiosk.domain.health import SLOTS
from provisioning.fleet import audit, places
from provisioning.fleet.actor import NotFound
from provisioning.fleet.console.machine import lines, typed_keys, working_keys
from provisioning.fleet.console.page import Page, go
from provisioning.fleet.console.pages import commanding
from provisioning.fleet.console.render import show
from provisioning.fleet.console.standing import terminals
from provisioning.fleet.console.tree import places as all_places
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.desired.compose import composed
from provisioning.fleet.enrolment.stop import stop as stop_terminal
from provisioning.fleet.ledger import boards
from provisioning.fleet.schema.commands import Command
from provisioning.fleet.schema.terminals import Certificate, Terminal, TerminalEvent
from provisioning.fleet.terminal_commands.acts import Target, of_terminal, withdraw
from provisioning.rules.commands import RULES
from provisioning.rules.poll import Health
from provisioning.terminal.toml import as_toml

EVENTS, COMMANDS = 100, 20


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
    report = report_of(terminal)
    certificates = (
        Certificate.select().where(Certificate.terminal == terminal).order_by(Certificate.not_after_ms.desc())
    )
    events = TerminalEvent.select().where(TerminalEvent.terminal == terminal).order_by(TerminalEvent.id.desc())
    told = {
        "certificates": list(certificates.limit(10)),
        "events": list(events.limit(EVENTS)),
        "sent": of_terminal(visit.actor, terminal.terminal_id, COMMANDS),
        "commands": commanding.offered(visit, terminal.place) if terminal.state == "active" else [],
        "slots": list(report.slots) if report and report.slots else SLOTS,
        "moves": [one for one in all_places(visit) if visit.may("move", one) and one.id != terminal.place.id],
        "stops": terminal.state == "active" and visit.may("stop", terminal.place),
        "newcomers": _newcomers(visit, terminal),
        "machine": _machine(visit, report) if report else [],
    }
    return show(visit, "terminal.html", terminal=terminal, place=terminal.place, report=report, **told)


def _machine(visit: Visit, report: Health) -> list[tuple[str, str]]:
    keys = (*working_keys(visit, report.keys), *typed_keys(visit, report.typed_keys))
    return [*lines(visit, report.machine), *keys]


def command(visit: Visit) -> Response:
    return commanding.send(visit, Target(terminal_of(visit).terminal_id))


def take_back(visit: Visit) -> Response:
    terminal_of(visit)
    withdraw(visit.actor, visit.field("which"), visit.field("why"), visit.at_ms)
    return go(visit.path, "withdrawn")


def stop(visit: Visit) -> Response:
    stop_terminal(visit.actor, terminal_of(visit).terminal_id, visit.field("why"), visit.at_ms)
    return go(visit.path, "saved")


def move(visit: Visit) -> Response:
    number = terminal_of(visit).terminal_id
    places.move(visit.actor, number, visit.number("place"), visit.field("why"), visit.at_ms)
    return go(visit.path, "saved")


def _newcomers(visit: Visit, terminal: Terminal) -> list[str]:
    return boards.newcomers(visit.actor, terminal.terminal_id) if visit.may("readmit", terminal.place) else []


def board(visit: Visit) -> Response:
    number = terminal_of(visit).terminal_id
    boards.propose(visit.actor, number, visit.field("board"), visit.field("why"), visit.at_ms)
    return go(visit.path, "proposed")


def draw_sent(visit: Visit) -> Response:
    """What a command asked for, as a file; that somebody took it stands on the trail.

    Raises:
        NotFound: no such command of this terminal, nothing was sent, or not theirs to read.
    """
    terminal = terminal_of(visit)
    row = Command.get_or_none((Command.command == visit.params["command"]) & (Command.terminal == terminal))
    if row is None or not row.sent or not visit.may(RULES[row.act].right, terminal.place):
        raise NotFound
    audit.record(visit.actor, visit.at_ms, "sent_read", terminal.terminal_id, "", {"command": row.command})
    name = f"{terminal.terminal_id}-{row.act}.json"
    return FileResponse(Path(visit.fleet.settings.home) / row.sent, filename=name, media_type="application/json")


def draw_wanted(visit: Visit) -> Response:
    """What its city's layers come to for this one, as it is told when it asks."""
    terminal = terminal_of(visit)
    wanted = composed(terminal)
    text, bodies = as_toml(wanted["settings"]), wanted["bodies"]
    return show(visit, "wanted.html", terminal=terminal, text=text, bodies=bodies)


ACTS = {"command": command, "withdraw": take_back, "stop": stop, "move": move, "board": board}
ROUTES = [
    Page("/console/{tenant}/terminals/{terminal_id}", draw, ACTS).route(),
    Page("/console/{tenant}/terminals/{terminal_id}/settings", draw_wanted).route(),
    Page("/console/{tenant}/terminals/{terminal_id}/sent/{command}", draw_sent).route(),
]
