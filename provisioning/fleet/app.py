"""The fleet's web application: every route of every part, in two faces.

nginx has one port for terminals, which show a certificate, and one for people, who sign in; it says by ``X-Face``
which one was asked. Each face answers only its own paths, whatever nginx forwards.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from provisioning.fleet.calls import routes as calls
from provisioning.fleet.chores import Chores
from provisioning.fleet.console import routes as console
from provisioning.fleet.ddi import routes as ddi
from provisioning.fleet.desired import routes as desired
from provisioning.fleet.enrolment import est
from provisioning.fleet.epoch import routes as epoch
from provisioning.fleet.faces import Faces
from provisioning.fleet.keys import routes as keys
from provisioning.fleet.ledger import routes as ledger
from provisioning.fleet.live.live import Live
from provisioning.fleet.live.poll import PollDesk
from provisioning.fleet.management import actions, software, targets
from provisioning.fleet.terminal_commands import routes as terminal_commands
from provisioning.fleet.terminal_errands import TerminalErrands
from provisioning.fleet.trust import routes as trust
from provisioning.fleet.web import ANSWERS, Fleet


def make_app(fleet: Fleet) -> Starlette:
    """An application whose lifespan keeps its register and writes what it heard; without one (tests) call
    ``app.state.live.refresh`` and ``flush``."""
    live = Live(fleet.settings.polls, TerminalErrands(Path(fleet.settings.home)))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with live.kept(), Chores(fleet.now_ms, fleet.settings).kept():
            yield

    app = Starlette(routes=every_route(), exception_handlers=ANSWERS, lifespan=lifespan)
    app.add_middleware(Faces)
    app.add_middleware(PollDesk, fleet=fleet, live=live)  # added last: it stands before everything
    app.state.fleet, app.state.live = fleet, live
    return app


def every_route() -> list[BaseRoute]:
    """Each part adds its own ``ROUTES`` here."""
    terminals = (ddi, ledger, desired, terminal_commands, est, calls, epoch, keys, trust)
    return [
        Route("/v1/health", health),
        *chain(*(part.ROUTES for part in terminals)),
        *console.ROUTES,
        *chain(software.ROUTES, targets.ROUTES, actions.ROUTES),
    ]


async def health(request: Request) -> JSONResponse:
    """Whether this process is there; asks nobody."""
    return JSONResponse({"status": "ok"})
