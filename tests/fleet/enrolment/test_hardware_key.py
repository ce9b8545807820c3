"""A key that never leaves its token, through the whole front: stunnel, nginx with mutual TLS, a real fleet."""

import base64
import contextlib
import shutil
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from kiosk.hosts.link import HttpsHostLink
from kiosk.ports import HostRefused, OutcomeUnknown
from provisioning.fleet import ca
from provisioning.fleet.enrolment.csr import subject_of
from provisioning.terminal.disk import Disk
from provisioning.terminal.enrolment.enrol import Address
from provisioning.terminal.enrolment.est import ENROL, RENEW, ask_certificate
from provisioning.terminal.enrolment.identity import Identity
from provisioning.terminal.enrolment.way import Way
from provisioning.terminal.tunnel import Tunnel
from provisioning.token_key import Token, TokenError, find_key, make_key
from simulators.fleet.server import FleetPlan
from simulators.pki import Pki, make_pki
from simulators.tokens import SimulatedToken, softhsm, software_tpm
from simulators.tunnels import start_stunnel
from tests.fleet.front import ask, running_fleet

SERIAL, NUMBER = "SN-HARD01", "H0000001"


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="ykh"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def plugged(kind: str, folder: Path) -> Iterator[SimulatedToken]:
    folder.mkdir()
    with software_tpm(folder) if kind == "tpm" else nullcontext(softhsm(folder)) as token:
        yield token


def told(token: SimulatedToken) -> Token:
    return Token(
        module=token.module, label=token.label, pin_file=str(token.pin_file), environment=dict(token.environment)
    )


@pytest.mark.parametrize("kind", ["softhsm", pytest.param("tpm", marks=pytest.mark.slow)])
async def test_a_terminal_with_a_hardware_key_enrols_and_polls(kind: str, folder: Path) -> None:
    """The request is signed in the token; TLS of the first question, of the poll and of the renewal is done there, too.
    Nobody else on the machine may open the tunnel, and what the key signed opens the poll only with a certificate."""
    with plugged(kind, folder / "k") as token:
        identity = Identity(folder / "identity", Disk(), SERIAL, told(token))
        await trio.to_thread.run_sync(identity.make_ready)
        request = await trio.to_thread.run_sync(identity.request)
        assert not identity.key_file.exists()
        async with running_fleet(folder, expect=f"{SERIAL}={NUMBER}", certificates=0, people=True) as (fleet, children):
            address = Address(fleet.plan.device_url, str(fleet.plan.pki.certificate("fleet-ca")))
            way, tunnel = Way(folder, Disk(), identity), Tunnel(folder, Disk(), identity)
            path = f"/{fleet.plan.city}/terminal/v1/{NUMBER}/poll"

            async def through(known: bool, act: Any) -> Any:
                link = HttpsHostLink("fleet", way.settings(address, known), lambda event, **fields: None)
                sockets = [tunnel.socket(False), *([tunnel.socket(True)] if identity.certificate.exists() else [])]
                stunnel = await start_stunnel(children, tunnel.configuration, sockets, token.environment)
                try:
                    assert {one.stat().st_mode & 0o777 for one in sockets} == {0o700}
                    return await act(link)
                finally:
                    link.close()
                    await children.stop(stunnel)
                    await trio.to_thread.run_sync(token.let_go)

            identity.keep(await through(False, lambda link: ask_certificate(link, ENROL, request)))
            renewal = await trio.to_thread.run_sync(identity.request)

            async def polls(link: HttpsHostLink) -> Any:
                renewed = await ask_certificate(link, RENEW, renewal)
                return renewed, (await link.call("POST", path, body={})).status

            renewed, status = await through(True, polls)
            assert (status, identity.keep(renewed).terminal_id) == (200, NUMBER)
            with pytest.raises(HostRefused, match="not_found"):
                await through(False, lambda link: link.call("POST", path, body={}))
            if kind == "softhsm":  # the same front, once
                assert await expired_and_none(fleet.plan, folder, path) == ["unknown", "not_found", "no_key_shown"]


async def expired_and_none(plan: FleetPlan, folder: Path, poll: str) -> list[str]:
    """nginx turns nobody away itself: what the fleet says to a certificate that has expired, on the paths of enrolment
    and on others, and to a connection that shows none."""
    authority, key = ca.authorities(plan.folder / "home")[0], ec.generate_private_key(ec.SECP256R1())
    long_ago = datetime.now(UTC) - timedelta(days=400)
    name = subject_of(plan.city, "X0000001", "SN-X")
    expired = ca.certificate_for(authority, name, key.public_key(), long_ago, 365)
    pem, pkcs8, bare = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    shown = folder / "expired.pem"
    shown.write_bytes(key.private_bytes(pem, pkcs8, bare) + expired.public_bytes(pem))
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    body = base64.encodebytes(request.public_bytes(serialization.Encoding.DER))
    renewed = await ask(plan, "POST", RENEW, pem=shown, body=body)
    polled = await ask(plan, "POST", poll, pem=shown, body=b"{}")
    unshown = await ask(plan, "POST", ENROL, body=body)
    return [str(reply.json()["code"]) for reply in (renewed, polled, unshown)]


def test_a_token_that_does_not_answer_is_no_new_key(folder: Path) -> None:
    """Nobody makes a second key because the first could not be found: a wrong PIN, a token that is away, no module."""
    token = softhsm(folder / "k")
    good = told(token)
    first = make_key(good)
    assert make_key(good).public_key() == first.public_key()
    (folder / "wrong").write_text("000000")
    for bad in (
        Token(module=good.module, label=good.label, pin_file=str(folder / "wrong"), environment=good.environment),
        Token(module=good.module, label="away", pin_file=good.pin_file, environment=good.environment),
        Token(module="/nowhere.so", label=good.label, pin_file=good.pin_file),
    ):
        with pytest.raises(TokenError) as said:
            make_key(bad)
        assert "135790" not in str(said.value)
    assert find_key(good) is not None
    for act in (first.private_numbers, first.private_bytes):
        with pytest.raises(TokenError):
            act()


async def test_a_tunnel_that_is_not_there_is_silence(folder: Path) -> None:
    """Its unit is being started anew: the outcome is unknown, as of a cut line."""
    identity = Identity(folder / "identity", Disk(), SERIAL)
    identity.make_ready()
    settings = Way(folder, Disk(), identity).settings(Address("https://fleet.example", str(identity.bare)), False)
    link = HttpsHostLink("fleet", replace(settings, tunnel=str(folder / "no.sock")), lambda event, **fields: None)
    with pytest.raises(OutcomeUnknown):
        await link.call("GET", "/v1/health")
    link.close()


async def test_a_proxy_passes_the_line_on(folder: Path) -> None:
    """TLS goes through it to the host itself; one that says no, or speaks no HTTP, is silence."""
    pki, outcomes = make_pki(folder / "pki"), []
    (folder / "network" / "current").mkdir(parents=True)
    identity = Identity(folder / "identity", Disk(), SERIAL)
    identity.make_ready()
    way = Way(folder, Disk(), identity)
    async with trio.open_nursery() as nursery:
        port = await nursery.start(_host, pki)
        for answer in (b"HTTP/1.1 200 Connection established\r\n\r\n", b"HTTP/1.1 403 No\r\n\r\n", b"hello"):
            listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
            nursery.start_soon(trio.serve_listeners, _proxy(answer, port), [listener])
            (way.home / "network" / "current" / "proxy").write_text(f"127.0.0.1:{listener.socket.getsockname()[1]}\n")
            settings = way.settings(Address(f"https://127.0.0.1:{port}", str(pki.hosts_ca)), False)
            link = HttpsHostLink("fleet", settings, lambda event, **fields: None)
            try:
                outcomes.append((await link.call("GET", "/v1/health")).body)
            except OutcomeUnknown:
                outcomes.append("unknown")
            link.close()
        nursery.cancel_scope.cancel()
    assert outcomes == [{"status": "ok"}, "unknown", "unknown"]


async def _host(pki: Pki, task_status: trio.TaskStatus[int]) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pki.host_certificate, pki.host_key)
    listener = (await trio.open_ssl_over_tcp_listeners(0, context, host="127.0.0.1"))[0]

    async def answer(stream: trio.SSLStream[trio.SocketStream]) -> None:
        assert (await stream.receive_some(4096)).startswith(b"GET /v1/health HTTP/1.1\r\n")
        await stream.send_all(b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"status": "ok"}')
        with contextlib.suppress(trio.BrokenResourceError):
            await stream.aclose()

    task_status.started(listener.transport_listener.socket.getsockname()[1])
    await trio.serve_listeners(answer, [listener])


def _proxy(answer: bytes, port: int) -> Any:
    async def serve(stream: trio.SocketStream) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += await stream.receive_some(1)
        assert head.startswith(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n".encode())
        await stream.send_all(answer)
        if not answer.startswith(b"HTTP/1.1 200"):
            await stream.aclose()
            return
        async with await trio.open_tcp_stream("127.0.0.1", port) as there, trio.open_nursery() as nursery:
            nursery.start_soon(_pass_on, stream, there)
            await _pass_on(there, stream)
            nursery.cancel_scope.cancel()

    return serve


async def _pass_on(source: trio.SocketStream, sink: trio.SocketStream) -> None:
    try:
        async for piece in source:
            await sink.send_all(piece)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        return
