"""``POST /logs/{command}``: what a command asked the terminal to send."""

import json
import os
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisioning.fleet.actor import NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.identity import Caller, terminal_of
from provisioning.fleet.schema.commands import Command
from provisioning.fleet.web import fleet_of

FOLDER = "sent"
SENT_BYTES_MAX = 2 * 1024 * 1024
ASK_FOR = {"logs", "picture", "doctor"}


async def logs(request: Request) -> Response:
    """JSON, at most ``SENT_BYTES_MAX``; told again it changes nothing."""
    received = bytearray()
    async for piece in request.stream():
        received += piece
        if len(received) > SENT_BYTES_MAX:
            raise HTTPException(413, "This is more than a command asks for.")
    await run_in_threadpool(_keep, request, bytes(received))
    return Response(status_code=204)


def _keep(request: Request, wire: bytes) -> None:
    caller = terminal_of(request)
    command = request.path_params["command"]
    try:
        told: Any = json.loads(wire)
    except (ValueError, RecursionError):
        raise Refused("not_json", "What was sent is not JSON.") from None
    folder = Path(fleet_of(request).settings.home) / FOLDER / caller.tenant
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with step():
        row = _asked(caller, command)
        if row.sent:
            return
        beside = folder / f".{command}.{os.urandom(4).hex()}"
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(json.dumps(told, ensure_ascii=False).encode())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(folder / command)
        Command.update(sent=f"{FOLDER}/{caller.tenant}/{command}").where(Command.command == command).execute()


def _asked(caller: Caller, command: str) -> Command:
    row: Command | None = Command.get_or_none((Command.command == command) & (Command.terminal == caller.key))
    if row is None or row.act not in ASK_FOR:
        raise NotFound
    return row


ROUTES = [Route("/{tenant}/terminal/v1/{terminal_id}/logs/{command}", logs, methods=["POST"])]
