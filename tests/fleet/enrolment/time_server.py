"""A server whose certificate begins next year: what a terminal meets whose clock is behind."""

import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trio

from simulators.pki import make_pki

ANSWER = b'{"time": "2027-01-15T08:00:00+00:00"}'


@asynccontextmanager
async def time_server(folder: Path) -> AsyncIterator[tuple[int, str, str]]:
    """Port, its authority, and a certificate with key for whoever must show one."""
    pki = make_pki(folder / "pki", datetime.now(UTC) + timedelta(days=365))
    own = folder / "own.pem"
    own.write_bytes(pki.terminal_key.read_bytes() + pki.terminal_certificate.read_bytes())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pki.host_certificate, pki.host_key)
    async with trio.open_nursery() as nursery:
        listener = (await trio.open_ssl_over_tcp_listeners(0, context, host="127.0.0.1"))[0]
        nursery.start_soon(trio.serve_listeners, _answer, [listener])
        yield listener.transport_listener.socket.getsockname()[1], str(pki.hosts_ca), str(own)
        nursery.cancel_scope.cancel()


async def _answer(stream: trio.SSLStream[trio.SocketStream]) -> None:
    with contextlib.suppress(trio.BrokenResourceError, ssl.SSLError):
        await stream.receive_some(4096)
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(ANSWER)
        await stream.send_all(head + ANSWER)
        await stream.aclose()
