"""Key blocks on the terminals' face."""

from pathlib import Path

import msgspec
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from provisioning.fleet.city_key import city_signer
from provisioning.fleet.identity import Caller, terminal_of
from provisioning.fleet.keys.acts import answer, document
from provisioning.fleet.web import Fleet, fleet_of, problem
from provisioning.rules.keys import KeyAnswer

_BODY_BYTES_MAX = 4096


def block(request: Request) -> Response:
    """One block, for its terminal alone."""
    caller, fleet = terminal_of(request), fleet_of(request)
    signer = city_signer(Path(fleet.settings.home), caller.tenant)
    wire = document(caller.key, request.path_params["block_id"], signer, fleet.now_ms())
    return Response(wire, media_type="application/json")


async def answered(request: Request) -> Response:
    """What the pad said."""
    caller = await to_thread.run_sync(terminal_of, request)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_BYTES_MAX:
            return problem(413, "too_large", "An answer is not as long as this.")
    try:
        told = msgspec.json.decode(body, type=KeyAnswer)
    except (msgspec.MsgspecError, RecursionError):
        return problem(400, "malformed", "The answer does not have the documented shape.")
    return await to_thread.run_sync(_keep, fleet_of(request), caller, request.path_params["block_id"], told)


def _keep(fleet: Fleet, caller: Caller, block_id: str, told: KeyAnswer) -> Response:
    answer(caller.actor, caller.key, block_id, told, fleet.now_ms())
    return Response(status_code=204)


_AT = "/{tenant}/terminal/v1/{terminal_id}/key-blocks/{block_id}"
ROUTES: list[BaseRoute] = [Route(_AT, block), Route(f"{_AT}/answer", answered, methods=["POST"])]
