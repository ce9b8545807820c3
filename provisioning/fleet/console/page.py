"""From a question of a browser to a visit, and from what became of it to an answer."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from provisioning.fleet.actor import NotFound, Refused
from provisioning.fleet.console import browser
from provisioning.fleet.console.render import show
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.people import sessions
from provisioning.fleet.people.held import PERSON
from provisioning.fleet.people.sealing import Seal, load_seal
from provisioning.fleet.schema.base import proxy
from provisioning.fleet.schema.people import Person
from provisioning.fleet.schema.places import Tenant
from provisioning.fleet.web import fleet_of

FORM_BYTES_MAX = 2_000_000
FIELDS_MAX = 200

Answer = Callable[[Visit], Response]


@dataclass(frozen=True)
class Page:
    """``draw`` shows it; each of ``acts`` does what a form of it asks for, by the form's field ``act``, and answers
    with a redirection. What is refused there is shown on the same page, with what was typed. ``open``: without
    sign-in. ``file_bytes_max``: where more than a small form is sent, by people who signed in."""

    path: str
    draw: Answer
    acts: Mapping[str, Answer] = field(default_factory=dict)
    open: bool = False
    file_bytes_max: int = 0

    def route(self) -> Route:
        methods = ["GET", "POST"] if self.acts else ["GET"]
        return Route(self.path, self._answer, methods=methods)

    async def _answer(self, request: Request) -> Response:
        if request.method != "POST":
            return await run_in_threadpool(self._visited, request, {}, {})
        await self._must_be_bounded(request)
        async with request.form(max_files=1, max_fields=FIELDS_MAX, max_part_size=FORM_BYTES_MAX) as form:
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
            files = {name: value.file for name, value in form.items() if isinstance(value, UploadFile)}
            return await run_in_threadpool(self._visited, request, fields, files)

    async def _must_be_bounded(self, request: Request) -> None:
        """Raises HTTPException: too much, or its size is not told; nobody reads a large file of a stranger."""
        told = request.headers.get("content-length", "")
        length = int(told) if told.isdigit() else None
        if length is not None and length <= FORM_BYTES_MAX:
            return
        if length is None or length > self.file_bytes_max or await run_in_threadpool(_person, request) is None:
            raise HTTPException(413, "Too much at once.")

    def _visited(self, request: Request, form: Mapping[str, str], files: Mapping[str, IO[bytes]]) -> Response:
        with _connected():
            visit = _visit_of(request, form, files)
            if visit.person is None and not self.open:
                asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                return RedirectResponse(sign_in_first(asked if request.method == "GET" else ""), 303)
            try:
                visit = _in_city(request, visit)
                return browser.guarded(self._done(visit) if request.method == "POST" else self.draw(visit))
            except NotFound:
                return browser.guarded(_with_status(show(visit, "not_found.html"), 404))

    def _done(self, visit: Visit) -> Response:
        if not browser.is_own_form(visit):
            return _with_status(show(visit, "stale_form.html"), 403)
        act = self.acts.get(visit.form.get("act", ""))
        if act is None:
            raise NotFound
        try:
            return act(visit)
        except Refused as refusal:
            return _with_status(self.draw(replace(visit, trouble=visit.said(str(refusal)))), 409)


def go(path: str, done: str = "") -> Response:
    """To another page, which says ``done`` (of ``words.DONE``)."""
    mark = "&" if "?" in path else "?"
    return RedirectResponse(f"{path}{mark}done={done}" if done else path, 303)


def sign_in_first(to: str) -> str:
    """The way there, and then on to ``to``."""
    return f"/console/sign-in?{urlencode({'to': to})}" if to else "/console/sign-in"


@lru_cache(maxsize=8)
def seal_of(home: str) -> Seal:
    return load_seal(Path(home))


def _with_status(response: Response, status: int) -> Response:
    response.status_code = status
    return response


@contextmanager
def _connected() -> Iterator[None]:
    """A connection of this thread's own for the time of one page; a fixture's or caller's stays as it is."""
    if proxy.obj.is_closed():
        with proxy.obj.connection_context():
            yield
    else:
        yield


def _person(request: Request) -> Person | None:
    """Who is signed in in this browser."""
    token = request.cookies.get(browser.SESSION, "")
    itself = request.headers.get(browser.LOOKS_AGAIN) is not None
    with _connected():
        return sessions.person_of(token, fleet_of(request).now_ms(), used=not itself) if token else None


def _visit_of(request: Request, form: Mapping[str, str], files: Mapping[str, IO[bytes]]) -> Visit:
    fleet, person = fleet_of(request), _person(request)
    at_ms = fleet.now_ms()
    told: dict[str, Any] = {"params": request.path_params, "query": request.query_params, "form": form, "files": files}
    return Visit(
        fleet,
        seal_of(fleet.settings.home),
        at_ms,
        browser.language(request),
        request.url.path,
        request.cookies.get(browser.SESSION if person else browser.BEFORE, ""),
        request.headers.get("x-real-ip", ""),
        cookies=request.cookies,
        person=person,
        **told,
    )


def _in_city(request: Request, visit: Visit) -> Visit:
    """The visit in the city of its path, if there is one.

    Raises:
        NotFound: the person holds nothing there; what is not there is not told apart. Both cities' trails have it.
    """
    code = visit.params.get("tenant")
    if code is None or visit.person is None:
        return visit
    city = Tenant.get_or_none(Tenant.code == code)
    inside = replace(visit, tenant=city) if city is not None else visit
    if city is not None and inside.held:
        return inside
    asked = f"{request.method} {request.url.path}"
    cities = {code, visit.person.tenant_id}
    visit.fleet.refusals.record(cities, f"{PERSON}{visit.person.login}", "no role in this city", asked, visit.at_ms)
    raise NotFound
