"""Commands, as a terminal's and a place's page offer them."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from provisioning.fleet import roles
from provisioning.fleet.actor import Refused
from provisioning.fleet.console.page import go
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.schema.places import Place
from provisioning.fleet.terminal_commands.acts import Target
from provisioning.fleet.terminal_commands.acts import send as send_command
from provisioning.rules.commands import RULES

# The parts that a command speaks of; the others take none.
PRINTERS = ("receipt_printer", "page_printer")
WITH_SLOT = ("test_page", "swap")
FOR_ONE = (
    "logs",
    "picture",
    "doctor",
    "test_page",
    "swap",
    "decommission",
    "wipe",
)  # never to a whole place from a page


def offered(visit: Visit, place: Place, whole_place: bool = False) -> list[tuple[str, bool]]:
    """Commands that this person may begin there, and whether each takes a second person."""
    found = []
    for act, rule in RULES.items():
        right = rule.right_of_place or rule.right if whole_place else rule.right
        if visit.may(right, place) and not (whole_place and act in FOR_ONE):
            found.append((act, roles.takes_two(right)))
    return found


def send(visit: Visit, target: Target) -> Response:
    """Back to the page where it was asked for.

    Raises:
        NotFound, Refused: as ``terminal_commands.acts.send``; or it must be said once more that it is meant.
    """
    act = visit.field("command")
    if act in ("wipe", "decommission") and visit.field("sure") != target.terminal_id:
        raise Refused("not_sure", "Write the terminal's number once more, so that no other one is meant.")
    sent = send_command(visit.actor, target, act, _arguments(visit, act), visit.field("why"), visit.at_ms)
    return go(visit.path, "proposed" if sent.proposal else "sent")


def _arguments(visit: Visit, act: str) -> Mapping[str, Any]:
    return {"slot": visit.field("slot")} if act in WITH_SLOT else {}
