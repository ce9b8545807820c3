"""The fleet's web application: every route of every part, in two faces.

nginx has one port for terminals, which show a certificate, and one for people, who sign in; it says by ``X-Face``
which one was asked. Each face answers only its own paths, whatever nginx forwards.
"""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from provisioning.fleet.desired import routes as desired
from provisioning.fleet.faces import Faces
from provisioning.fleet.ledger import routes as ledger
from provisioning.fleet.terminal_commands import routes as terminal_commands
from provisioning.fleet.web import ANSWERS, Fleet


def make_app(fleet: Fleet) -> Starlette:
    app = Starlette(routes=_routes(), exception_handlers=ANSWERS)
    app.add_middleware(Faces)
    app.state.fleet = fleet
    return app


def _routes() -> list[BaseRoute]:
    """Each part adds its own ``ROUTES`` here."""
    return [Route("/v1/health", health), *ledger.ROUTES, *desired.ROUTES, *terminal_commands.ROUTES]


async def health(request: Request) -> JSONResponse:
    """Whether this process is there; asks nobody."""
    return JSONResponse({"status": "ok"})
