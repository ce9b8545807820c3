"""The ledger on the terminals' face: ``docs/hosts/agency_ledger.yaml``."""

import dataclasses
from datetime import UTC, datetime, timedelta

import msgspec
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from provisioning.fleet import audit
from provisioning.fleet.actor import Refused
from provisioning.fleet.database import step
from provisioning.fleet.identity import Caller, terminal_of
from provisioning.fleet.ledger.bring import acknowledgement
from provisioning.fleet.ledger.keep import keep_told, kept_up_to
from provisioning.fleet.ledger.rows import Rows
from provisioning.fleet.ledger.signing import signer_of
from provisioning.fleet.web import fleet_of, problem

WORD_GOOD_FOR = timedelta(minutes=15)  # over the line it is asked anew each time
_BODY_BYTES_MAX = 4 << 20  # 50 rows of at most 40 kB, and the keys of fifty years


def kept(request: Request) -> Response:
    """How far the ledger has the terminal's rows."""
    caller = terminal_of(request)
    seq, link = kept_up_to(caller.actor, caller.terminal_id)
    return JSONResponse({"kept_up_to": seq, "link": link})


def word(request: Request) -> Response:
    """What the ledger keeps, signed for the terminal to judge; on the trail, because journals go by it."""
    caller, fleet = terminal_of(request), fleet_of(request)
    if not fleet.settings.ledger_key:
        return problem(404, "no_word", "This fleet signs nothing over the line; an import does.")
    signer, at_ms = signer_of(fleet.settings.ledger_key), fleet.now_ms()
    now = datetime.fromtimestamp(at_ms / 1000, UTC)
    with step():
        seq, _ = kept_up_to(caller.actor, caller.terminal_id)
        if not seq:
            return problem(404, "no_word", "Nothing of this terminal is kept.")
        told = acknowledgement(caller.actor, caller.terminal_id, signer, now, WORD_GOOD_FOR)
        audit.record(caller.actor, at_ms, "journal_vouched_for", caller.terminal_id, facts={"kept_up_to": seq})
    return Response(told, media_type="application/json")


async def keep_rows(request: Request) -> Response:
    """The next rows; each has its own result."""
    caller = await to_thread.run_sync(terminal_of, request)  # before a byte of the body is read
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_BYTES_MAX:
            return problem(413, "too_large", "More than one question may hold.")
    try:
        told = msgspec.json.decode(body, type=Rows)
    except (msgspec.MsgspecError, RecursionError):
        return problem(400, "malformed", "The question does not have the documented shape.")
    return await to_thread.run_sync(_keep, caller, told, fleet_of(request).now_ms())


def _keep(caller: Caller, told: Rows, at_ms: int) -> Response:
    try:
        results = keep_told(caller.actor, caller.terminal_id, told, at_ms)
    except Refused as refused:
        return problem(403, refused.code, str(refused))
    up_to, _ = kept_up_to(caller.actor, caller.terminal_id)
    return JSONResponse({"kept_up_to": up_to, "results": [dataclasses.asdict(one) for one in results]})


ROUTES: list[BaseRoute] = [
    Route("/v1/terminals/{terminal_id}/kept", kept),
    Route("/v1/terminals/{terminal_id}/acknowledgement", word),
    Route("/v1/terminals/{terminal_id}/rows", keep_rows, methods=["POST"]),
]
