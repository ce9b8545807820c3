"""Who comes to the management interface, and how its routes are made.

A program shows its city and name with its secret by HTTP Basic, as hawkBit's tools do: user ``city\\name`` (or
``city/name``). People never use it: they sign in at the console, with a second factor.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from provisioning.fleet.actor import Actor, NotFound
from provisioning.fleet.schema.machines import ApiClient
from provisioning.fleet.schema.places import Tenant
from provisioning.fleet.web import DESCRIBED, Described, Fleet, fleet_of, in_threads, short_body

HAL = "application/hal+json"
RIGHTS = ("read", "write", "assign")
BODY_BYTES_MAX = 1_000_000
ASKS = {"WWW-Authenticate": 'Basic realm="fleet", charset="UTF-8"'}
T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """One question of a program."""

    request: Request
    fleet: Fleet
    actor: Actor
    at_ms: int

    @property
    def base(self) -> str:
        return f"{self.fleet.settings.console_url}/rest/v1"

    def key(self, name: str) -> int:
        return int(self.request.path_params[name])


def program_of(request: Request, right: str) -> Asked:
    """Touches the database.

    Raises:
        HTTPException: 401 nobody we know, 403 a program that may not do this.
    """
    fleet = fleet_of(request)
    city, name, secret = _shown(request.headers.get("authorization", ""))
    mine = (ApiClient.tenant == city) & (ApiClient.name == name) & ApiClient.active
    client: ApiClient | None = ApiClient.get_or_none(mine)
    told = hashlib.sha256(secret.encode()).hexdigest()
    if client is None or not hmac.compare_digest(told, client.secret_hash):
        asked = f"{request.method} {request.url.path}"
        cities = {city} if Tenant.get_or_none(Tenant.code == city) else set()
        fleet.refusals.record(cities, f"program:{name[:40]}", "a program that does not hold", asked, fleet.now_ms())
        raise HTTPException(401, "Show the name of a program of this fleet and its secret.", ASKS)
    if RIGHTS.index(client.may) < RIGHTS.index(right):
        raise HTTPException(403, "This program may not do that.")
    return Asked(request, fleet, Actor(client.tenant_id, f"program:{client.name}"), fleet.now_ms())


def _shown(header: str) -> tuple[str, str, str]:
    scheme, _, told = header.partition(" ")
    try:
        user, _, secret = (
            base64.b64decode(told, validate=True).decode().partition(":") if scheme == "Basic" else ("", "", "")
        )
    except (binascii.Error, UnicodeDecodeError):
        return "", "", ""
    city, _, name = user.replace("\\", "/").partition("/")
    return city.replace("\0", ""), name.replace("\0", ""), secret


def reads(work: Callable[[Asked], Any]) -> Callable[[Request], Response]:
    """A route that answers with what ``work`` tells."""

    def route(request: Request) -> Response:
        return answered(work(program_of(request, "read")))

    DESCRIBED[route] = Described(work)
    return route


def deletes(work: Callable[[Asked], None], right: str = "write") -> Callable[[Request], Response]:
    """hawkBit answers 204 (1.0); a body would say nothing."""

    def route(request: Request) -> Response:
        work(program_of(request, right))
        return Response(status_code=204)

    DESCRIBED[route] = Described(work)
    return route


def takes(
    shape: type[T], work: Callable[[Asked, T], Any], status: int = 200, right: str = "write", single: bool = False
) -> Callable[[Request], Any]:
    """A route that takes JSON of ``shape``. ``single``: one that stands alone counts as a list of one, as hawkBit's."""
    decoder = msgspec.json.Decoder(shape)

    async def route(request: Request) -> Response:
        asked = await in_threads(program_of, request, right)
        body = await short_body(request, BODY_BYTES_MAX)
        told = decoder.decode(b"[" + body + b"]" if single and body.lstrip()[:1] == b"{" else body)
        return answered(await in_threads(work, asked, told), status)

    DESCRIBED[route] = Described(work, shape)
    return route


def answered(told: Any, status: int = 200) -> Response:
    if isinstance(told, Response):
        return told
    return Response(status_code=status) if told is None else JSONResponse(told, status, media_type=HAL)


def must(row: T | None) -> T:
    """Raises NotFound where there is none."""
    if row is None:
        raise NotFound
    return row
