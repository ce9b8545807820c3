"""The fleet's web application: every route of every part, in two faces.

nginx has one port for terminals, which show a certificate, and one for people, who sign in. Each face answers only its
own paths, whatever nginx forwards.
"""

from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from provisioning.fleet.settings import FleetSettings


@dataclass(frozen=True)
class Fleet:
    """What every part of one process works with; ``app.state.fleet``."""

    settings: FleetSettings


def make_app(fleet: Fleet) -> Starlette:
    app = Starlette(routes=[*_routes()])
    app.state.fleet = fleet
    return app


def _routes() -> list[BaseRoute]:
    return [Route("/v1/health", health)]


async def health(request: Request) -> JSONResponse:
    """Whether this process is there; asks nobody."""
    return JSONResponse({"status": "ok"})
