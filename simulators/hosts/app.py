"""The thin server side of a sandbox: ASGI in, ``Sandbox.answer`` out, weather in between."""

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import trio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount

from simulators.hosts.sandbox import BODY_BYTES_MAX, SILENCE, Ask, Refusal, Reply, Sandbox

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

Answered = Callable[[Sandbox, Ask], Awaitable[Reply]]
SILENCE_S_MAX = 120.0  # how long a dropped answer holds its connection when the terminal never hangs up


def asgi_app(sandbox: Sandbox) -> Starlette:
    """A Starlette application that serves one sandbox."""
    return Starlette(routes=[Mount("/", app=_Door(sandbox))])


async def weathered(sandbox: Sandbox, ask: Ask, answered: Answered | None = None) -> Reply | None:
    """The answer as the weather lets it through; None is silence, after the sandbox has booked."""
    answered = answered or _answered
    weather = sandbox.weather
    if not weather.hits(sandbox.name):
        return _heard(await answered(sandbox, ask))
    if weather.slow_s > 0:
        await trio.sleep(weather.slow_s)
    if weather.error_500:
        return Reply(500, b"Internal Server Error", "text/plain")
    if weather.garbage:
        return Reply(200, b'{"insurances": [\xff\xfe', "application/json")
    if weather.refuse_code:
        return Refusal(409, weather.refuse_code, "业务不允许").reply()
    reply = await answered(sandbox, ask)
    if weather.answer_late_s > 0:
        await trio.sleep(weather.answer_late_s)
    return None if weather.drop_answer else _heard(reply)


def _heard(reply: Reply) -> Reply | None:
    return None if reply is SILENCE else reply


async def _answered(sandbox: Sandbox, ask: Ask) -> Reply:
    """In a thread: composing and sealing a certificate takes a while, and the other hosts must not stand still."""
    return await trio.to_thread.run_sync(sandbox.answer, ask)


class _Door:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        began = time.perf_counter()
        request = Request(scope, receive)
        ask = Ask(
            request.method,
            request.scope["path"],
            await _bounded_body(request),
            request.headers.get("idempotency-key", ""),
            dict(request.query_params),
            dict(request.headers),
        )
        reply = await weathered(self._sandbox, ask)
        if reply is None:
            with trio.move_on_after(SILENCE_S_MAX):
                while (await receive())["type"] != "http.disconnect":
                    pass
            return
        await Response(reply.body, reply.status, media_type=reply.content_type)(scope, receive, send)
        self._sandbox.at_work.append((began, time.perf_counter()))


async def _bounded_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            break  # the sandbox refuses what is too long; the rest need not be kept
    return bytes(body)
