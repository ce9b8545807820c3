"""The TLS line by itself: who is trusted, what is refused before a byte, what is unknown after one."""

import io
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
import trio

from kiosk.basics.log import JsonLog
from kiosk.hosts.bank.line import BankLine
from kiosk.ports import HostRefused, OutcomeUnknown
from kiosk.settings.config import HostSettings
from simulators.pki import Pki
from tests.bank.stand import bank_stand

FRAME = b"\x00\x0d" + bytes(13)


async def ask(settings: HostSettings, *, production: bool = False) -> bytes:
    async with BankLine(settings, JsonLog(io.StringIO()), production=production).connected() as call:
        return await call.ask(FRAME)


def settings_for(pki: Pki, port: int, **other: object) -> HostSettings:
    own = {
        "url": f"tls://127.0.0.1:{port}",
        "ca": str(pki.hosts_ca),
        "certificate": str(pki.terminal_certificate),
        "private_key": str(pki.terminal_key),
        "deadline_s": 0.5,
    }
    return HostSettings(**(own | other))  # type: ignore[arg-type] # a test names any of them


async def test_only_the_pinned_authority_is_trusted(tmp_path: Path, pki: Pki) -> None:
    """A bank with somebody else's certificate is a line that is down; a TEST authority is none in production."""
    async with bank_stand(tmp_path, pki) as stand:
        port = int(stand.line._settings.url.rsplit(":", 1)[1])
        for settings, production in (
            (settings_for(pki, port, ca=str(pki.certificate("fleet-ca"))), False),
            (settings_for(pki, port, ca=str(tmp_path / "none.pem")), False),
            (settings_for(pki, port), True),
        ):
            with pytest.raises(HostRefused, match="line_down"):
                await ask(settings, production=production)
        assert stand.host.heard == []


@pytest.mark.parametrize(
    "url", ["", "https://127.0.0.1:1", "tls://127.0.0.1", "tls://127.0.0.1:notaport", "tls://127.0.0.1:1"]
)
async def test_an_address_that_leads_nowhere_is_a_line_that_is_down(pki: Pki, url: str) -> None:
    """Refused, since nothing can have been done."""
    with pytest.raises(HostRefused, match="line_down"):
        await ask(settings_for(pki, 1, url=url))


async def _speak(pki: Pki, behave: Callable[[trio.SSLStream[trio.SocketStream]], Awaitable[None]]) -> str:
    """Ask a server that behaves so; why the outcome is unknown."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(str(pki.host_certificate), str(pki.host_key))
    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_ssl_over_tcp, host="127.0.0.1", https_compatible=True)
        listeners = await nursery.start(serve, behave, 0, context)
        port = listeners[0].transport_listener.socket.getsockname()[1]
        with pytest.raises(OutcomeUnknown) as unknown:
            await ask(settings_for(pki, port))
        nursery.cancel_scope.cancel()
    return unknown.value.why


@pytest.mark.parametrize("said", [b"", b"\x00", b"\xff\xff" + bytes(50), b"\x00\x02ab", b"\x00\x20short"])
async def test_after_the_first_byte_everything_but_a_whole_frame_is_unknown(pki: Pki, said: bytes) -> None:
    """Hanging up, half a frame, a length that no frame has."""

    async def behave(stream: trio.SSLStream[trio.SocketStream]) -> None:
        await stream.receive_some(4096)
        if said:
            await stream.send_all(said)
        await stream.aclose()

    assert await _speak(pki, behave) in ("the bank hung up", "the line broke", "answer is no frame")


async def test_a_bank_that_drips_bytes_meets_the_total_deadline(pki: Pki) -> None:
    """The deadline counts everything, not each byte."""

    async def behave(stream: trio.SSLStream[trio.SocketStream]) -> None:
        await stream.receive_some(4096)
        try:
            for byte in b"\x07\x00" + bytes(1000):
                await stream.send_all(bytes((byte,)))
                await trio.sleep(0.05)
        except trio.BrokenResourceError:
            return

    assert await _speak(pki, behave) == "no answer in time"
