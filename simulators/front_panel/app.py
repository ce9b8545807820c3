"""The page's server. For this machine only: it listens on loopback and answers no page of another origin."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import trio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from simulators.front_panel.front import NotPossible, TerminalFront
from simulators.front_panel.guard import LoopbackGuard
from simulators.front_panel.screen_proxy import screen_socket

NOVNC = Path("/usr/share/novnc")  # Debian package novnc
STATIC = Path(__file__).parent / "static"
BODY_BYTES_MAX = 1_000
HEARTBEAT_S = 10.0


class _Insert(msgspec.Struct, forbid_unknown_fields=True):
    card: str


class _Press(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    pad: str = "pin_pad"


class _Fault(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    on: bool = True


class _Take(msgspec.Struct, forbid_unknown_fields=True):
    number: int


class _Feed(msgspec.Struct, forbid_unknown_fields=True):
    note: int
    kind: str = "good"


class _Nothing(msgspec.Struct, forbid_unknown_fields=True):
    pass


_Body = TypeVar("_Body", bound=msgspec.Struct)
_Endpoint = Callable[[Request], Awaitable[Response]]


def front_panel(front: TerminalFront) -> Starlette:
    """The page, its pictures, its events and the JSON that acts."""
    return Starlette(
        routes=[
            Route("/", _page),
            Route("/api/state", _state(front)),
            Route("/api/events", _events(front)),
            Route("/api/insert", _act(_Insert, lambda body: front.insert(body.card)), methods=["POST"]),
            Route("/api/pull", _act(_Nothing, lambda _: front.pull()), methods=["POST"]),
            Route("/api/press", _act(_Press, _pressing(front)), methods=["POST"]),
            Route("/api/fault", _act(_Fault, lambda body: front.fault(body.name, body.on)), methods=["POST"]),
            Route("/api/feed", _act(_Feed, _feeding(front)), methods=["POST"]),
            Route("/api/take_notes", _act(_Nothing, _taking_notes(front)), methods=["POST"]),
            Route("/api/papers/take", _act(_Take, _taking(front.take_paper)), methods=["POST"]),
            Route("/api/sheets/take", _act(_Take, _taking(front.take_sheet)), methods=["POST"]),
            Route("/api/papers/{number:int}.png", _paper(front)),
            Route("/api/sheets/{number:int}-{page:int}.png", _sheet(front)),
            Route("/api/screen.png", _screen(front)),
            WebSocketRoute("/screen", screen_socket(lambda: front.vnc_port)),
            Mount("/static", StaticFiles(directory=STATIC)),
            Mount("/novnc", StaticFiles(directory=NOVNC, check_dir=False)),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]),
            Middleware(LoopbackGuard),
        ],
    )


async def _page(_: Request) -> Response:
    return FileResponse(STATIC / "index.html")


def _state(front: TerminalFront) -> _Endpoint:
    async def endpoint(_: Request) -> Response:
        return Response(msgspec.json.encode(front.state()), media_type="application/json")

    return endpoint


def _events(front: TerminalFront) -> _Endpoint:
    """Server-sent events: the whole state at once, then at each change, and a comment while nothing changes."""

    async def stream() -> AsyncIterator[bytes]:
        seen = None
        while True:
            with trio.move_on_after(HEARTBEAT_S) as quiet:
                seen = await front.changed(seen)
            yield b": still here\n\n" if quiet.cancelled_caught else b"data: " + msgspec.json.encode(seen) + b"\n\n"

    async def endpoint(_: Request) -> Response:
        return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    return endpoint


def _act(shape: type[_Body], act: Callable[[_Body], Awaitable[None]]) -> _Endpoint:
    """An act of a person: 204 done, 400 not understood, 404 no such thing, 409 hands cannot do that now."""

    async def endpoint(request: Request) -> Response:
        try:
            body = msgspec.json.decode(await _bounded(request) or b"{}", type=shape)
            await act(body)
        except msgspec.MsgspecError as error:
            return JSONResponse({"why": str(error)}, 400)
        except LookupError:
            return JSONResponse({"why": "no such thing"}, 404)
        except NotPossible as error:
            return JSONResponse({"why": str(error)}, 409)
        return Response(status_code=204)

    return endpoint


async def _bounded(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_BYTES_MAX:
            raise msgspec.DecodeError(f"more than {BODY_BYTES_MAX} bytes")
    return body


def _pressing(front: TerminalFront) -> Callable[[_Press], Awaitable[None]]:
    async def act(body: _Press) -> None:
        front.press(body.key, body.pad)

    return act


def _taking(take: Callable[[int], None]) -> Callable[[_Take], Awaitable[None]]:
    async def act(body: _Take) -> None:
        take(body.number)

    return act


def _feeding(front: TerminalFront) -> Callable[[_Feed], Awaitable[None]]:
    async def act(body: _Feed) -> None:
        front.feed(body.note, body.kind)

    return act


def _taking_notes(front: TerminalFront) -> Callable[[_Nothing], Awaitable[None]]:
    async def act(_: _Nothing) -> None:
        front.take_notes()

    return act


def _png(picture: bytes) -> Response:
    return Response(picture, media_type="image/png", headers={"Cache-Control": "no-store"})


def _paper(front: TerminalFront) -> _Endpoint:
    async def endpoint(request: Request) -> Response:
        try:
            return _png(front.paper_png(request.path_params["number"]))
        except LookupError:
            return Response(status_code=404)

    return endpoint


def _sheet(front: TerminalFront) -> _Endpoint:
    async def endpoint(request: Request) -> Response:
        try:
            return _png(front.sheet_png(request.path_params["number"], request.path_params["page"]))
        except LookupError:
            return Response(status_code=404)

    return endpoint


def _screen(front: TerminalFront) -> _Endpoint:
    async def endpoint(_: Request) -> Response:
        return _png(await front.screen_png())

    return endpoint
