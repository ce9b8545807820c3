"""Two faces, one application: a terminal's port never shows a page, and people's port takes no terminal's word."""

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from provisioning.fleet.web import problem

TERMINALS, PEOPLE = "terminals", "people"
BOTH = re.compile(r"/v1/health$")
PATHS = {
    TERMINALS: re.compile(
        r"/[^/]+/terminal/v1/|/[^/]+/controller/v1/|/\.well-known/est/|/enrolment/v1/|/v1/terminals/|/v1/calls$"
    ),
    PEOPLE: re.compile(r"/console(/|$)|/rest/v1/|/$|/favicon\.ico$"),
}


class Faces:
    """Answers 404 where a path is not of the face that nginx names in ``X-Face``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _shown(Headers(scope=scope).get("x-face", ""), scope["path"]):
            await problem(404, "not_found", "There is no such thing here.")(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _shown(face: str, path: str) -> bool:
    paths = PATHS.get(face)
    return BOTH.match(path) is not None or (paths is not None and paths.match(path) is not None)
