"""A connection through an HTTP proxy (RFC 9110, 9.3.6): it passes bytes on, and TLS goes through it to the host."""

import socket
from typing import Any

ANSWER_BYTES_MAX = 8 * 1024
CONNECT_S_MAX = 30.0


def through_proxy(proxy: str, host: str, port: int, timeout_s: Any) -> socket.socket:
    """``proxy``: host:port.

    Raises:
        OSError: it is not there, says no, or answers something else than HTTP.
    """
    name, _, number = proxy.rpartition(":")
    within_s = timeout_s if isinstance(timeout_s, int | float) else CONNECT_S_MAX
    sock = socket.create_connection((name, int(number)), within_s)
    try:
        there = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        sock.sendall(f"CONNECT {there} HTTP/1.1\r\nHost: {there}\r\n\r\n".encode("ascii"))
        status = _head(sock).split(b"\r\n", 1)[0].split(b" ")
        if len(status) < 2 or not status[0].startswith(b"HTTP/1.") or not status[1].startswith(b"2"):
            raise ConnectionRefusedError("the proxy does not let us through")
    except BaseException:
        sock.close()
        raise
    return sock


def _head(sock: socket.socket) -> bytes:
    """To the empty line and not a byte further: what follows is the host's."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        head += byte
        if not byte or len(head) > ANSWER_BYTES_MAX:
            raise ConnectionAbortedError("the proxy's answer has no end")
    return head
