"""The duty desk on the terminals' face: ``docs/hosts/agency_duty.yaml``."""

from typing import Annotated

import msgspec
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from provisioning.fleet.actor import Refused
from provisioning.fleet.calls.acts import call
from provisioning.fleet.identity import Caller, terminal_of
from provisioning.fleet.web import fleet_of, problem

_BODY_BYTES_MAX = 4096
_Word = Annotated[str, msgspec.Meta(max_length=80)]


class Call(msgspec.Struct, forbid_unknown_fields=True):
    """The body of ``POST /v1/calls``. ``place`` is what the terminal believes; ours is the one that counts."""

    place: _Word
    screen: _Word
    case_code: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Z]{4,12}$")]
    reason: _Word


_Key = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{4,64}$")]


async def call_staff(request: Request) -> Response:
    """Ask for a member of staff; the same key is one call."""
    caller = await to_thread.run_sync(terminal_of, request)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_BYTES_MAX:
            return problem(400, "malformed", "The question does not have the documented shape.")
    try:
        told = msgspec.json.decode(body, type=Call)
        key = msgspec.convert(request.headers.get("idempotency-key", ""), _Key)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return problem(400, "malformed", "The question does not have the documented shape.")
    return await to_thread.run_sync(_called, caller, key, told, fleet_of(request).now_ms())


def _called(caller: Caller, key: str, told: Call, at_ms: int) -> Response:
    try:
        minutes = call(caller.actor, caller.key, key, told.case_code, told.screen, told.reason, at_ms)
    except Refused as refused:
        return problem(503, refused.code, str(refused))
    return JSONResponse({"case_code": told.case_code, "minutes": minutes}, 201)


ROUTES: list[BaseRoute] = [Route("/v1/calls", call_staff, methods=["POST"])]
