"""``GET /welcome``: what a terminal is told once it has a certificate. ``provisioning.rules.enrolment.Welcome``."""

from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from provisioning.fleet.identity import terminal_of
from provisioning.fleet.schema.enrolment import EnrolmentRequest
from provisioning.fleet.schema.terminals import Certificate, Terminal
from provisioning.fleet.trust.lists import newest, trusted_now
from provisioning.fleet.web import fleet_of
from provisioning.rules.enrolment import Welcome
from provisioning.rules.network import Network


def welcome(request: Request) -> Response:
    caller = terminal_of(request)
    terminal = Terminal.get_by_id(caller.key)
    home = Path(fleet_of(request).settings.home)
    believed = trusted_now(home, caller.tenant)
    told = Welcome(
        tenant=caller.tenant,
        terminal_id=caller.terminal_id,
        serial=terminal.serial,
        profile=terminal.profile,
        keys=dict(believed.keys),
        approvers=dict(believed.approvers),
        trust=newest(caller.tenant),
        network=_network(caller.certificate),
    )
    return Response(msgspec.json.encode(told), media_type="application/json")


def _network(certificate: str) -> Network | None:
    """As whoever enrolled this key said."""
    known = Certificate.get_or_none(Certificate.serial == certificate)
    asked = known and EnrolmentRequest.get_or_none(EnrolmentRequest.fingerprint == known.fingerprint)
    return msgspec.convert(asked.network, Network) if asked and asked.network else None
