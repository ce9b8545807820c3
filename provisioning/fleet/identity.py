"""Which terminal asks: proven by nginx with a certificate, or by a token of a stock DDI client.

nginx sets ``X-Client-Verify`` (SUCCESS, NONE, FAILED:why), ``X-Client-Serial`` (hex) and ``X-Client-Cert`` (PEM,
URL-encoded) itself, whatever a caller sends, and this process listens on nothing but nginx's UNIX socket.
"""

import hashlib
import hmac
from dataclasses import dataclass

from starlette.requests import Request

from provisioning.fleet.actor import Actor, NotFound
from provisioning.fleet.epoch.readopt import readopt
from provisioning.fleet.schema.places import Tenant
from provisioning.fleet.schema.terminals import Certificate, Terminal
from provisioning.fleet.web import fleet_of

VERIFIED = "SUCCESS"
TOKEN = "TargetToken "  # noqa: S105 - the name of a scheme, hawkBit's
TOKENS_ALLOWED = "target_tokens"  # of a city's settings


@dataclass(frozen=True)
class Caller:
    """A terminal that may ask. ``key``: of its row; ``certificate``: serial number, "" where a token was shown."""

    key: int
    terminal_id: str
    tenant: str
    certificate: str = ""

    @property
    def actor(self) -> Actor:
        return Actor(self.tenant, f"terminal:{self.terminal_id}")


def serial_hex(serial: int) -> str:
    """As nginx writes ``$ssl_client_serial``: upper case, whole bytes."""
    digits = f"{serial:X}"
    return digits if len(digits) % 2 == 0 else f"0{digits}"


def terminal_of(request: Request) -> Caller:
    """Who asks, for routes with ``{tenant}`` and ``{terminal_id}`` in their path, or with one of them.

    Touches the database: for plain functions. Whoever is turned away stands on the audit trail of the city that was
    asked and of the city whose certificate it is.

    Raises:
        NotFound: no proof, another terminal's or city's path, revoked, or not active.
    """
    asked_city, asked_id = (request.path_params.get(name) for name in ("tenant", "terminal_id"))
    try:
        terminal, certificate = _proven(request, asked_city, asked_id)
        _may(terminal, asked_city, asked_id)
    except _TurnedAway as away:
        cities = {city for city in (asked_city, away.city) if city}
        asked = f"{request.method} {request.url.path}"
        fleet = fleet_of(request)
        fleet.refusals.record(cities, away.who, away.reason, asked, fleet.now_ms())
        raise NotFound(away.reason) from None
    return Caller(terminal.id, terminal.terminal_id, terminal.tenant_id, certificate)


class _TurnedAway(Exception):
    def __init__(self, reason: str, who: str, city: str = "") -> None:
        super().__init__(reason)
        self.reason, self.who, self.city = reason, who, city


def _proven(request: Request, city: str | None, terminal_id: str | None) -> tuple[Terminal, str]:
    """The terminal that the caller proves to be, and by which certificate."""
    verify, serial = (request.headers.get(name, "") for name in ("x-client-verify", "x-client-serial"))
    if verify == VERIFIED and serial:
        return _of_certificate(serial, request), serial
    token = request.headers.get("authorization", "")
    if token.startswith(TOKEN) and city and terminal_id:
        return _of_token(token.removeprefix(TOKEN), city, terminal_id), ""
    raise _TurnedAway(f"no certificate that holds ({verify or 'NONE'})"[:80], f"certificate:{serial[:48]}")


def _of_certificate(serial: str, request: Request) -> Terminal:
    who = f"certificate:{serial[:48]}"
    certificate: Certificate | None = Certificate.get_or_none(Certificate.serial == serial)
    if certificate is None:
        shown = request.headers.get("x-client-cert", "")
        certificate = readopt(serial, shown, fleet_of(request).now_ms())
    if certificate is None:
        raise _TurnedAway("a certificate that the fleet does not know", who)
    terminal: Terminal = certificate.terminal
    if certificate.revoked_ms is not None:
        raise _TurnedAway("a revoked certificate", f"terminal:{terminal.terminal_id}", terminal.tenant_id)
    return terminal


def _of_token(token: str, city: str, terminal_id: str) -> Terminal:
    who = f"token:{terminal_id[:16]}"
    tenant = Tenant.get_or_none(Tenant.code == city)
    if tenant is None or not tenant.settings.get(TOKENS_ALLOWED):
        raise _TurnedAway("tokens are not accepted here", who)
    mine = (Terminal.tenant == city) & (Terminal.terminal_id == terminal_id)
    terminal: Terminal | None = Terminal.get_or_none(mine)
    told = hashlib.sha256(token.encode()).hexdigest()
    if terminal is None or not terminal.token_hash or not hmac.compare_digest(told, terminal.token_hash):
        raise _TurnedAway("a token that does not hold", who)
    return terminal


def _may(terminal: Terminal, city: str | None, terminal_id: str | None) -> None:
    who = f"terminal:{terminal.terminal_id}"
    if city is not None and terminal.tenant_id != city:
        raise _TurnedAway("a terminal of another city", who, terminal.tenant_id)
    if terminal_id is not None and terminal.terminal_id != terminal_id:
        raise _TurnedAway("the path of another terminal", who, terminal.tenant_id)
    if terminal.state != "active":
        raise _TurnedAway(f"a terminal that is {terminal.state}", who, terminal.tenant_id)
