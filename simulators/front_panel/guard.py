"""Keeps other pages away: whatever the browser's user has open elsewhere must not press keys here."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

# 'self' does not cover ws: in every browser of the last years, hence the two names.
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; connect-src 'self' ws://127.0.0.1:* ws://localhost:*;"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


class LoopbackGuard:
    """Refuses acts and sockets whose Origin is another page; tells the browser to load nothing from elsewhere."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif _from_another_page(scope):
            refusal = WebSocketClose() if scope["type"] == "websocket" else PlainTextResponse("another origin", 403)
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, _with_policy(send))


def _from_another_page(scope: Scope) -> bool:
    """Browsers always name the origin of an act or a socket; programs (curl, tests) need not."""
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if scope["type"] == "http" and scope["method"] == "GET":
        return False
    return origin is not None and origin != f"http://{headers.get('host', '')}"


def _with_policy(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Content-Security-Policy"] = POLICY
            headers["X-Content-Type-Options"] = "nosniff"
        await send(message)

    return sending
