"""What every route works with: the process's fleet, the time, and how a refusal looks on the wire."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar

import anyio
import msgspec
import peewee
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kiosk.basics.log import JsonLog
from provisioning.fleet.actor import NotFound, Refused
from provisioning.fleet.refusals import Refusals
from provisioning.fleet.settings import FleetSettings

PROBLEM = "application/problem+json"
Answered = TypeVar("Answered")
log = JsonLog()


def now_ms() -> int:
    """Milliseconds of UTC by this machine's clock."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Fleet:
    """What every part of one process works with; ``app.state.fleet``."""

    settings: FleetSettings
    now_ms: Callable[[], int] = now_ms
    refusals: Refusals = field(default_factory=Refusals)


def fleet_of(request: Request) -> Fleet:
    fleet: Fleet = request.app.state.fleet
    return fleet


def problem(status: int, code: str, words: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """RFC 9457. ``code`` is for programs, ``words`` for people."""
    told = {"title": HTTPStatus(status).phrase, "status": status, "code": code, "detail": words}
    return JSONResponse(told, status, headers, PROBLEM)


async def not_found(request: Request, error: Exception) -> Response:
    """One answer for what is nobody's and for what is another city's."""
    return problem(404, "not_found", "There is no such thing here.")


async def refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return problem(409, error.code, str(error))


async def http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, "not_done", error.detail, dict(error.headers or {}))


async def not_readable(request: Request, error: Exception) -> Response:
    """Malformed JSON, a shape that is not asked for, or text that no database takes (NUL)."""
    words = str(error) if isinstance(error, msgspec.MsgspecError) else "This holds text that cannot be kept."
    return problem(400, "not_readable", words[:300])


def no_database(error: Exception, retry_after_s: float = 30.0) -> Response:
    log("database_not_there", error=type(error).__name__)
    later = {"Retry-After": f"{retry_after_s:.0f}"}
    return problem(503, "later", "The fleet cannot look that up now. Ask again later.", later)


async def lost_database(request: Request, error: Exception) -> Response:
    return no_database(error)


ANSWERS = {
    NotFound: not_found,
    Refused: refused,
    HTTPException: http_error,
    msgspec.MsgspecError: not_readable,
    peewee.DataError: not_readable,
    peewee.OperationalError: lost_database,  # both of LOST
    peewee.InterfaceError: lost_database,
}


async def short_body(request: Request, bytes_max: int) -> bytes:
    """The whole body.

    Raises:
        HTTPException: 413, it is longer than ``bytes_max``.
    """
    parts, length = [], 0
    async for part in request.stream():
        length += len(part)
        if length > bytes_max:
            raise HTTPException(413, f"This takes at most {bytes_max} bytes.")
        parts.append(part)
    return b"".join(parts)


async def in_threads(work: Callable[..., Answered], *words: Any) -> Answered:
    """Run what touches the database where it may wait."""
    return await anyio.to_thread.run_sync(work, *words)


@dataclass(frozen=True)
class Described:
    """What a route that was made from another function does, for the published document. ``shape``: of its body."""

    work: Callable[..., Any]
    shape: Any = None


DESCRIBED: dict[Any, Described] = {}


class _RowKey(Convertor[int]):
    """``{name:key}`` in a path: the number of a row, never longer than a column takes."""

    regex = "[0-9]{1,9}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("key", _RowKey())
