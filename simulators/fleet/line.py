"""One connection of the load generator: non-blocking, plain or TLS, one question at a time."""

import select
import socket
import ssl
from pathlib import Path

ANSWER_BYTES_MAX = 1_000_000
IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h; Python 3.11 has no name for it
READ, WRITE = select.EPOLLIN, select.EPOLLOUT


class LineBroken(Exception):
    """The other side closed, or speaks no HTTP."""


class Line:
    """``terminal``: index of who asks on it now, -1 for nobody. With ``context`` over TLS. ``source``: our address."""

    def __init__(
        self, address: Path | tuple[str, int], context: ssl.SSLContext | None = None, source: str = ""
    ) -> None:
        family = socket.AF_UNIX if isinstance(address, Path) else socket.AF_INET
        bare = socket.socket(family, socket.SOCK_STREAM)
        if source:
            bare.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)  # the port is chosen when it connects
            bare.bind((source, 0))
        bare.connect(str(address) if isinstance(address, Path) else address)
        if family == socket.AF_INET:
            bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bare.setblocking(False)
        self._socket: socket.socket = bare
        if context is not None:
            self._socket = context.wrap_socket(bare, server_hostname="localhost", do_handshake_on_connect=False)
        self.ready = context is None
        self.terminal, self.asked_s, self.uses = -1, 0.0, 0
        self._answer = b""

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def greet(self) -> int:
        """Go on with the TLS handshake; what to wait for, 0 once it is done.

        Raises:
            LineBroken.
        """
        assert isinstance(self._socket, ssl.SSLSocket)
        try:
            self._socket.do_handshake()
        except ssl.SSLWantReadError:
            return READ
        except ssl.SSLWantWriteError:
            return WRITE
        except OSError as error:
            raise LineBroken(str(error)) from error
        self.ready = True
        return 0

    def ask(self, question: bytes) -> None:
        """Questions are far smaller than a socket's buffer, so they go at once.

        Raises:
            LineBroken.
        """
        self._answer = b""
        self.uses += 1
        try:
            sent = self._socket.send(question)
        except OSError as error:
            raise LineBroken(str(error)) from error
        if sent != len(question):
            raise LineBroken("the question did not go at once")

    def hear(self) -> bytes | None:
        """The whole answer, head and body; None while it is not there.

        Raises:
            LineBroken.
        """
        try:
            part = self._socket.recv(16_384)
        except (ssl.SSLWantReadError, BlockingIOError):
            return None
        except OSError as error:
            raise LineBroken(str(error)) from error
        self._answer += part
        if not part or len(self._answer) > ANSWER_BYTES_MAX:
            raise LineBroken("closed before its answer was whole")
        return self._answer if _whole(self._answer) else None


def _whole(answer: bytes) -> bool:
    head, separator, body = answer.partition(b"\r\n\r\n")
    return bool(separator) and len(body) >= header(head, b"content-length")


def header(head: bytes, name: bytes) -> int:
    """A header that is a number; 0 where it is not there."""
    at = head.lower().find(b"\r\n" + name + b":")
    return int(head[at + len(name) + 3 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
