"""What every route works with: the process's fleet, the time, and how a refusal looks on the wire."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from provisioning.fleet.actor import NotFound, Refused
from provisioning.fleet.refusals import Refusals
from provisioning.fleet.settings import FleetSettings

PROBLEM = "application/problem+json"


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


ANSWERS = {NotFound: not_found, Refused: refused, HTTPException: http_error}
