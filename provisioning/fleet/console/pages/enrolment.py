"""New terminals: compared with the glass and confirmed, registered before they come, and doubts about who is who."""

from typing import Any

import msgspec
from starlette.responses import Response

from provisioning.fleet.actor import NotFound, Refused
from provisioning.fleet.console import serials
from provisioning.fleet.console.page import Page, go
from provisioning.fleet.console.render import show
from provisioning.fleet.console.tree import places
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.enrolment import expected, late, presence, requests
from provisioning.fleet.schema.enrolment import EnrolmentRequest
from provisioning.rules.enrolment import short_fingerprint
from provisioning.rules.network import Network, NetworkUnfit, check

FINGERPRINT_MAX = 64


def draw(visit: Visit) -> Response:
    must_enrol(visit)
    told = {
        "waiting": list(requests.waiting(visit.actor)),
        "expected": list(expected.expected(visit.actor)),
        "doubted": list(presence.doubted(visit.actor)),
        "late": list(late.waiting(visit.actor)),
    }
    return show(visit, "enrolment.html", short=short_fingerprint, columns=serials.COLUMNS, **told)


def must_enrol(visit: Visit) -> None:
    if not visit.may("enrol"):
        raise NotFound


def preregister(visit: Visit) -> Response:
    must_enrol(visit)
    rows = serials.read(b"".join(visit.file("file")), places(visit))
    expected.preregister(visit.actor, rows, visit.at_ms)
    return go(visit.path, "saved")


def withdraw(visit: Visit) -> Response:
    expected.withdraw(visit.actor, visit.field("serial"), visit.field("why"), visit.at_ms)
    return go(visit.path, "withdrawn")


def believe(visit: Visit) -> Response:
    told = visit.field("terminal"), visit.field("believe"), visit.field("why")
    presence.propose(visit.actor, *told, visit.at_ms)
    return go(visit.path, "proposed")


def renew(visit: Visit) -> Response:
    late.propose(visit.actor, visit.field("terminal"), visit.field("why"), visit.at_ms)
    return go(visit.path, "proposed")


def request_of(visit: Visit) -> EnrolmentRequest:
    """The one whose whole fingerprint is in the path, as a phone reads it off the glass."""
    must_enrol(visit)
    return requests.find(visit.actor, visit.params["fingerprint"])


def draw_one(visit: Visit) -> Response:
    request = request_of(visit)
    mine = [place for place in places(visit) if visit.may("enrol", place)]
    glass = visit.query.get("serial", "")
    told = {"short": short_fingerprint(request.fingerprint), "glass": glass, "places": mine}
    return show(visit, "enrol.html", request=request, **told)


def confirm(visit: Visit) -> Response:
    if visit.field("same") != "yes":
        raise Refused("not_compared", "Compare the digits with the glass first, then say that they are the same.")
    told = request_of(visit).fingerprint, visit.field("terminal_id"), visit.number("place"), visit.at_ms
    more: dict[str, Any] = {"profile": visit.field("profile"), "network": network_of(visit), "why": visit.field("why")}
    requests.confirm(visit.actor, *told, **more)
    return go(f"{visit.base}/enrolment", "confirmed")


def refuse(visit: Visit) -> Response:
    requests.refuse(visit.actor, request_of(visit).fingerprint, visit.field("why"), visit.at_ms)
    return go(f"{visit.base}/enrolment", "refused")


def network_of(visit: Visit) -> Network | None:
    """What was filled in of the network; None: by DHCP, as it is. Raises Refused: it cannot be."""
    told: dict[str, Any] = {}
    if visit.field("address"):
        servers = visit.field("dns").replace(",", " ").split()
        told["static"] = {"address": visit.field("address"), "gateway": visit.field("gateway"), "dns": servers}
    if visit.field("vlan"):
        told["vlan"] = int(visit.field("vlan")) if visit.field("vlan").isdigit() else -1
    if visit.field("apn"):
        told["modem"] = {"apn": visit.field("apn")}
    if visit.field("proxy"):
        told["proxy"] = visit.field("proxy")
    try:
        network = msgspec.convert(told, Network)
        check(network)
    except (msgspec.ValidationError, NetworkUnfit):
        raise Refused("network", "The network settings cannot be used. Look at addresses and numbers again.") from None
    return network if told else None


def draw_from_glass(visit: Visit) -> Response:
    """The terminal's QR leads here, and knows no city."""
    fingerprint, serial = (visit.query.get(name, "")[:FINGERPRINT_MAX] for name in ("fingerprint", "serial"))
    return show(visit, "from_glass.html", cities=visit.cities_with("enrol"), fingerprint=fingerprint, serial=serial)


LIST_ACTS = {"preregister": preregister, "withdraw": withdraw, "believe": believe, "renew": renew}
ROUTES = [
    Page("/console/enrolment", draw_from_glass).route(),
    Page("/console/{tenant}/enrolment", draw, LIST_ACTS).route(),
    Page("/console/{tenant}/enrolment/{fingerprint}", draw_one, {"confirm": confirm, "refuse": refuse}).route(),
]
