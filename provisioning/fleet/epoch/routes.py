"""Epoch and memo on the terminals' face: docs/fleet.md, "Backup and restore"."""

from pathlib import Path

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from provisioning.fleet.actor import NotFound
from provisioning.fleet.city_key import city_keys
from provisioning.fleet.epoch.acts import document
from provisioning.fleet.epoch.memo import hear
from provisioning.fleet.identity import Caller, terminal_of
from provisioning.fleet.web import Fleet, fleet_of, problem
from provisioning.rules.epoch import EPOCH_KIND, MEMO_KIND

_MEMO_BYTES_MAX = 4 << 20


def epoch(request: Request) -> Response:
    """The newest epoch, signed by two approvers."""
    return _told(terminal_of(request), EPOCH_KIND)


def memo(request: Request) -> Response:
    """What a terminal is to carry."""
    return _told(terminal_of(request), MEMO_KIND)


async def bring_memo(request: Request) -> Response:
    """What a terminal carries, for a fleet that forgot."""
    caller = await to_thread.run_sync(terminal_of, request)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MEMO_BYTES_MAX:
            return problem(413, "too_large", "A memo is not as long as this.")
    return await to_thread.run_sync(_brought, fleet_of(request), caller, bytes(body))


def _brought(fleet: Fleet, caller: Caller, wire: bytes) -> Response:
    keys = city_keys(Path(fleet.settings.home), caller.tenant)
    return JSONResponse({"news": hear(caller.actor, wire, keys, fleet.now_ms())})


def _told(caller: Caller, kind: str) -> Response:
    wire = document(caller.tenant, kind)
    if wire is None:
        raise NotFound(kind)
    return Response(wire, media_type="application/json")


_AT = "/{tenant}/terminal/v1/{terminal_id}"
ROUTES: list[BaseRoute] = [
    Route(f"{_AT}/epoch", epoch),
    Route(f"{_AT}/memo", memo),
    Route(f"{_AT}/memo", bring_memo, methods=["POST"]),
]
