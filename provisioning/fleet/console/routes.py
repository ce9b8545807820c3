"""Every page of the console, for ``provisioning.fleet.app``."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from provisioning.fleet.console import browser
from provisioning.fleet.console.pages import (
    alerts,
    audit,
    calls,
    complaints,
    enrolment,
    entry,
    expiring,
    invited,
    keys,
    me,
    overview,
    people,
    person,
    place,
    places,
    proposals,
    rollouts,
    settings,
    terminal,
    terminals,
)

STATIC = Path(__file__).with_name("static")
PAGES = (
    entry, me, invited, overview, proposals, terminals, terminal, places, place, enrolment, settings, rollouts, people,
    person, audit, calls, complaints, keys, expiring,
    alerts,
)  # fmt: skip


async def home(request: Request) -> Response:
    return browser.guarded(RedirectResponse("/console/", 303))


ROUTES: list[BaseRoute] = [
    Route("/", home),
    Route("/console", home),
    Mount("/console/static", StaticFiles(directory=STATIC)),
    *(route for page in PAGES for route in page.ROUTES),
]
