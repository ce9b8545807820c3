"""Keys on their way to PIN pads: what two officers send, and the check values that came back."""

import msgspec
from starlette.responses import Response

from provisioning.fleet.actor import NotFound, Refused
from provisioning.fleet.console.page import Page, go
from provisioning.fleet.console.render import show
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.keys.acts import ACTS, loads, propose_load, withdraw
from provisioning.rules.keys import KeyBlock

FILE_BYTES_MAX = 2_000_000


def draw(visit: Visit) -> Response:
    _must_see(visit)
    rows = [row for row in loads(visit.actor) if visit.may(ACTS[row.domain]) or visit.may("audit")]
    return show(visit, "keys.html", rows=rows, acts=ACTS, sends=any(visit.may(act) for act in ACTS.values()))


def propose(visit: Visit) -> Response:
    """From the file that an officer's own tool made; what is in a block is not shown, not even to the officer."""
    _must_see(visit)
    try:
        blocks = msgspec.json.decode(b"".join(visit.file("blocks")), type=list[KeyBlock])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise Refused("bad_blocks", "This file is no list of key blocks.") from None
    number = propose_load(visit.actor, blocks, visit.field("why"), visit.at_ms)
    return go(f"{visit.base}/proposals/{number}", "proposed")


def take_back(visit: Visit) -> Response:
    _must_see(visit)
    withdraw(visit.actor, visit.field("block", 36), visit.field("why"), visit.at_ms)
    return go(visit.path, "withdrawn")


def _must_see(visit: Visit) -> None:
    if not any(visit.may(act) for act in (*ACTS.values(), "audit")):
        raise NotFound


ROUTES = [Page("/console/{tenant}/keys", draw, {"propose": propose, "take_back": take_back}).route()]
