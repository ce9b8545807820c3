"""The way to the acquirer: one TLS connection for each question, one total deadline over connecting and asking.

Connecting comes first and alone, so that a line that is down is known before anything is journaled or sent.
"""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import trio

from kiosk.hosts.bank.codec import FrameReader, Unreadable
from kiosk.ports import HostRefused, Log, OutcomeUnknown
from kiosk.settings.config import HostSettings

HOST = "bank"
CHUNK_BYTES = 4096
TEST_MARK = "TEST "
_BROKEN = (OSError, trio.BrokenResourceError, trio.ClosedResourceError, ssl.SSLError)


class BankCall:
    """A connection that stands. ``ask`` once."""

    def __init__(self, stream: trio.SSLStream[trio.SocketStream], deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    async def ask(self, frame: bytes) -> bytes:
        """Send one frame, return the message of the answer.

        Raises:
            OutcomeUnknown: silence, a broken line, bytes that are no frame. The bank may have done it.
        """
        with trio.move_on_at(self._deadline) as limit:
            try:
                await self._stream.send_all(frame)
                return await self._answer()
            except _BROKEN as error:
                raise OutcomeUnknown(HOST, "the line broke") from error
            except Unreadable as error:
                raise OutcomeUnknown(HOST, "answer is no frame") from error
        assert limit.cancelled_caught
        raise OutcomeUnknown(HOST, "no answer in time")

    async def _answer(self) -> bytes:
        reader = FrameReader()
        while True:
            chunk = await self._stream.receive_some(CHUNK_BYTES)
            if not chunk:
                raise OutcomeUnknown(HOST, "the bank hung up")
            if found := reader.receive(bytes(chunk)):
                return found[0]


class BankLine:
    """``settings.url`` is ``tls://host:port``. ``production`` takes no authority that is marked TEST."""

    def __init__(self, settings: HostSettings, log: Log, *, production: bool = False) -> None:
        self._settings = settings
        self._log = log
        self._production = production

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[BankCall]:
        """A connection for one question, closed afterwards without ceremony.

        Raises:
            HostRefused: "line_down": nothing was asked, so nothing was done.
        """
        deadline = trio.current_time() + self._settings.deadline_s
        stream = await self._connect(deadline)
        try:
            yield BankCall(stream, deadline)
        finally:
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream)

    async def _connect(self, deadline: float) -> trio.SSLStream[trio.SocketStream]:
        where = urlsplit(self._settings.url)
        try:
            if where.scheme != "tls" or not where.hostname or not where.port:
                raise HostRefused(HOST, "line_down", "no tls address in the settings")
            context = self._context()
            with trio.move_on_at(deadline):
                socket = await trio.open_tcp_stream(where.hostname, where.port)
                return await self._shake_hands(socket, context, where.hostname)
        except (*_BROKEN, ValueError) as error:  # ValueError: a port that is no number
            self._log("host_call", host=HOST, error=type(error).__name__)
            raise HostRefused(HOST, "line_down") from error
        raise HostRefused(HOST, "line_down")

    async def _shake_hands(
        self, socket: trio.SocketStream, context: ssl.SSLContext, name: str
    ) -> trio.SSLStream[trio.SocketStream]:
        stream = trio.SSLStream(socket, context, server_hostname=name, https_compatible=True)
        try:
            await stream.do_handshake()
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
        return stream

    def _context(self) -> ssl.SSLContext:
        """Raises OSError: a certificate file is missing, broken or, in production, a TEST one."""
        context = ssl.create_default_context(cafile=self._settings.ca or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._settings.certificate:
            context.load_cert_chain(self._settings.certificate, self._settings.private_key or None)
        if self._production and any(_is_test(authority) for authority in context.get_ca_certs()):
            raise OSError("a TEST authority in production")
        return context


def _is_test(authority: object) -> bool:
    return TEST_MARK in str(authority)
