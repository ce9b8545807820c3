"""One line to a host: a session of requests over mutual TLS, or through the tunnel that does TLS for a hardware key.

Python's ``ssl`` cannot use a key that does not leave its token. Where ``tunnel`` names a UNIX socket, stunnel listens
there, shows the terminal's certificate, verifies the host's, and passes on what we say (ADR 37).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import TYPE_CHECKING, Any

from kiosk.hosts.proxy import through_proxy
from kiosk.settings.config import HostSettings

if TYPE_CHECKING:
    import requests

TEST_MARK = "TEST "
HTTPS = 443
NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL; Python has no name for it


class Line:
    """A session with one connection at most, and the socket under it for hanging up from another thread."""

    def __init__(self) -> None:
        import requests

        self.session: requests.Session = requests.Session()
        self.sock: socket.socket | None = None

    def hang_up(self) -> None:
        if self.sock is not None:
            with contextlib.suppress(OSError):  # closed already
                # Past ssl's own shutdown(), which would pull the TLS object from under the reading thread.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def close(self) -> None:
        self.session.close()


def new_line(settings: HostSettings, *, production: bool, for_time: bool = False) -> Line:
    """requests is imported here, in the thread of the first call: 130 ms that the first frame need not wait for.

    ``for_time``: asks what the time is, so it looks at no dates, and shows no certificate.

    Raises:
        OSError: a certificate file is missing or broken.
    """
    from http.cookiejar import DefaultCookiePolicy

    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPSConnection
    from urllib3.connectionpool import HTTPSConnectionPool

    tls = _tls_context(settings, production, for_time)
    line = Line()

    class Connection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            if not settings.proxy:
                return super()._new_conn()
            return through_proxy(settings.proxy, self.host, self.port or HTTPS, self.timeout)

        def connect(self) -> None:
            if settings.tunnel and not for_time:
                self.sock, self.is_verified = _through(settings.tunnel, self.timeout), True
            else:
                super().connect()
            line.sock = self.sock

    class Pool(HTTPSConnectionPool):
        ConnectionCls = Connection

    class PinnedAdapter(HTTPAdapter):
        """Uses our TLS context, which knows the pinned authorities and nothing of the system's."""

        def init_poolmanager(self, *args: Any, **named: Any) -> None:
            super().init_poolmanager(*args, **named, ssl_context=tls)
            self.poolmanager.pool_classes_by_scheme = {"https": Pool}

    session = line.session
    session.headers.update({"User-Agent": "yikatong", "Accept-Encoding": "identity"})
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # no resident inherits another's cookie
    session.trust_env = False  # no proxy, no .netrc, no CA bundle from the environment
    session.verify = settings.ca  # said again, else requests adds its own bundle of public authorities
    session.mount("https://", PinnedAdapter(max_retries=0, pool_connections=1, pool_maxsize=1))
    del session.adapters["http://"]  # nothing ever leaves in the clear
    return line


def _through(tunnel: str, timeout_s: Any) -> socket.socket:
    """A plain connection to the tunnel. Raises OSError: it does not listen."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout_s if isinstance(timeout_s, int | float) else None)
        sock.connect(tunnel)
    except OSError:
        sock.close()
        raise
    return sock


def _tls_context(settings: HostSettings, production: bool, for_time: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(settings.ca)
    if production and any(_is_test(authority) for authority in context.get_ca_certs()):
        raise ssl.SSLError(0, "a TEST authority in production")
    if for_time:
        context.verify_flags |= NO_CHECK_TIME
    elif not settings.tunnel:
        context.load_cert_chain(settings.certificate, settings.private_key)
    return context


def _is_test(authority: Any) -> bool:
    """Whether a name of the subject, as ``ssl`` gives it, carries the mark of the demo PKI."""
    names = [value for part in authority["subject"] for _, value in part]
    return any(value.startswith(TEST_MARK) for value in names)
