"""Serve the sandbox bank over real mutual TLS on TCP, on loopback, with a port that closes when the weather says so."""

import ssl
from contextlib import suppress
from functools import partial

import trio

from simulators.hosts.bank import BankHost
from simulators.hosts.bank_frames import FRAME_BYTES_MAX, HEAD_BYTES
from simulators.pki import Pki

IDLE_S_MAX = 60.0
BANK_SLOW_S = 5.0  # below the terminal's deadline of 8 s: slow, and still an answer
_HUNG_UP = (trio.BrokenResourceError, trio.ClosedResourceError, ssl.SSLError, OSError)


async def serve_bank(
    host: BankHost, port: int, pki: Pki, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serve until cancelled. ``port`` 0 picks a free one; ``task_status`` gets the port.

    Raises:
        OSError: the port is taken.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(pki.hosts_ca))
    context.load_cert_chain(str(pki.host_certificate), str(pki.host_key))
    context.verify_mode = ssl.CERT_REQUIRED
    changed = trio.Event()

    def wake() -> None:
        nonlocal changed
        changed.set()
        changed = trio.Event()

    stop_listening = host.weather.listen(wake)
    try:
        async with trio.open_nursery() as nursery:
            open_port = partial(_serve_once, host, context)
            scope, port = await nursery.start(open_port, port)  # in fair weather: whoever starts us must learn the port
            task_status.started(port)
            while True:
                while not host.weather.closed(host.name):
                    await changed.wait()
                scope.cancel()
                while host.weather.closed(host.name):
                    await changed.wait()
                scope, port = await nursery.start(open_port, port)
    finally:
        stop_listening()


async def _serve_once(
    host: BankHost, context: ssl.SSLContext, port: int, *, task_status: trio.TaskStatus[tuple[trio.CancelScope, int]]
) -> None:
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            serve = partial(trio.serve_ssl_over_tcp, host="127.0.0.1", https_compatible=True)
            listeners = await nursery.start(serve, partial(_converse, host), port, context)
            task_status.started((scope, listeners[0].transport_listener.socket.getsockname()[1]))


async def _converse(host: BankHost, stream: trio.SSLStream[trio.SocketStream]) -> None:
    with suppress(*_HUNG_UP):
        while (body := await _next_body(stream)) is not None:
            slow_s = max(host.weather.slow_s if host.weather.hits(host.name) else 0.0, _own_slowness_s(host))
            if slow_s:
                await trio.sleep(slow_s)
            reply = host.answer(body)
            if reply is not None:
                await stream.send_all(reply)


def _own_slowness_s(host: BankHost) -> float:
    return BANK_SLOW_S if host.weather.bank_slow else 0.0


async def _next_body(stream: trio.SSLStream[trio.SocketStream]) -> bytes | None:
    """The next frame without its length; None when the terminal hangs up, sends no frame or says nothing for long."""
    buffer = b""
    with trio.move_on_after(IDLE_S_MAX):
        while True:
            length = int.from_bytes(buffer[:2], "big") if len(buffer) >= 2 else HEAD_BYTES
            if not HEAD_BYTES <= length <= FRAME_BYTES_MAX:
                return None
            if len(buffer) >= 2 + length > 2 + HEAD_BYTES:
                return buffer[2 : 2 + length]
            chunk = await stream.receive_some(4096)
            if not chunk:
                return None
            buffer += chunk
    return None
