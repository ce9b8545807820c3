"""One POST over one connection, by h11 on a trio stream: what IPP needs of HTTP. See ADR "The IPP driver speaks HTTP".

The two ways to fail are kept apart, because they mean different things for a job: not reached (surely nothing was
sent) and no answer (nobody knows).
"""

import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11
import trio

ANSWER_BYTES_MAX = 1 << 20
_CHUNK_BYTES = 16384


class NotReached(Exception):
    """No connection: nothing was sent. ``reason``: "absent", or "untrusted" where TLS found another printer."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoAnswer(Exception):
    """Something was sent, and no whole answer came in time."""


class HttpRefused(Exception):
    """A whole answer that is not 200."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


@dataclass(frozen=True)
class Target:
    """Where a printer listens. ``trust`` is a CA file; empty = the system's."""

    host: str
    port: int
    path: str
    tls: bool
    trust: str = ""


def target_of(uri: str, trust: str = "") -> Target:
    """Of an ipp or ipps address (RFC 3510, RFC 7472; port 631 unless given). Raises ValueError."""
    parts = urlsplit(uri)
    if parts.scheme not in ("ipp", "ipps") or not parts.hostname:
        raise ValueError("an IPP address begins with ipp:// or ipps:// and names a host")
    return Target(parts.hostname, parts.port or 631, parts.path or "/", parts.scheme == "ipps", trust)


async def post(target: Target, body: bytes, connect_s: float, answer_s: float) -> bytes:
    """The body of the answer to one ``application/ipp`` request.

    Raises:
        NotReached, NoAnswer, HttpRefused.
    """
    stream = await _connect(target, connect_s)
    try:
        with trio.move_on_after(answer_s):
            return await _exchange(stream, target, body)
    except (trio.BrokenResourceError, trio.ClosedResourceError, h11.RemoteProtocolError, ssl.SSLError) as error:
        raise NoAnswer(type(error).__name__) from error
    finally:
        await trio.aclose_forcefully(stream)
    raise NoAnswer("deadline")


async def _connect(target: Target, connect_s: float) -> trio.abc.Stream:
    try:
        with trio.fail_after(connect_s):
            stream: trio.abc.Stream = await trio.open_tcp_stream(target.host, target.port)
            if target.tls:
                context = ssl.create_default_context(cafile=target.trust or None)
                tls: trio.SSLStream[trio.abc.Stream] = trio.SSLStream(
                    stream, context, server_hostname=target.host, https_compatible=True
                )
                await tls.do_handshake()
                return tls
            return stream
    except (OSError, trio.TooSlowError, trio.BrokenResourceError) as error:
        forged = isinstance(error.__cause__, ssl.SSLCertVerificationError)
        raise NotReached("untrusted" if forged else "absent") from error


async def _exchange(stream: trio.abc.Stream, target: Target, body: bytes) -> bytes:
    connection = h11.Connection(h11.CLIENT)
    head = h11.Request(
        method="POST",
        target=target.path,
        headers=[
            ("Host", f"{target.host}:{target.port}"),
            ("Content-Type", "application/ipp"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ],
    )
    for event in (head, h11.Data(data=body), h11.EndOfMessage()):
        await stream.send_all(connection.send(event) or b"")
    return await _answer(stream, connection)


async def _answer(stream: trio.abc.Stream, connection: h11.Connection) -> bytes:
    status = 0
    answer = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(bytes(await stream.receive_some(_CHUNK_BYTES)))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            answer += event.data
            if len(answer) > ANSWER_BYTES_MAX:
                raise NoAnswer("too long")
        elif isinstance(event, h11.EndOfMessage):
            if status != 200:
                raise HttpRefused(status)
            return bytes(answer)
        elif isinstance(event, h11.ConnectionClosed):
            raise NoAnswer("closed")
