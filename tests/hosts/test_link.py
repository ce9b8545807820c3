"""The host link in all weathers: done, refused or unknown, within its deadline, and nothing told to strangers."""

import ssl
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from decimal import Decimal
from functools import partial
from pathlib import Path

import msgspec
import pytest
import trio

from kiosk.hosts.link import CALLS_MAX, HttpsHostLink, retry_after_s
from kiosk.ports import HostRefused, OutcomeUnknown
from kiosk.settings.config import HostSettings
from simulators.hosts.sandbox import Ask, Reply, Sandbox
from simulators.hosts.serve import serve
from simulators.hosts.weather import Weather
from simulators.pki import Pki, make_pki
from tests.hosts.conftest import Town

CALL = {"place": "hall", "screen": "menu", "case_code": "482913", "reason": "test"}


class Oddity(Sandbox):
    """A host that answers every question with one canned reply."""

    name = "oddity"
    reply = Reply(204)

    def answer(self, ask: Ask) -> Reply:
        return self.reply


@pytest.fixture
async def odd(town: Town, nursery: trio.Nursery, tmp_path: Path) -> AsyncIterator[Oddity]:
    sandbox = Oddity(town.world, tmp_path / "odd", town.weather)
    town.ports["oddity"] = await nursery.start(serve, sandbox, 0, town.pki)
    yield sandbox
    sandbox.close()


async def ask_desk(link: HttpsHostLink, **more: float) -> object:
    return (await link.call("POST", "/v1/calls", body=CALL, key="482913", **more)).body


@pytest.mark.parametrize("weather", [{"error_500": True}, {"garbage": True}, {"down": True}])
async def test_bad_weather_is_unknown(town: Town, weather: dict[str, bool]) -> None:
    """A host that breaks, babbles or is gone leaves the outcome unknown, and serves again when the weather clears."""
    link = town.link("agency_duty")
    assert await ask_desk(link)
    town.weather.change(**weather)
    await trio.testing.wait_all_tasks_blocked(0.02)
    with pytest.raises(OutcomeUnknown):
        await ask_desk(link)
    town.weather.clear()
    await trio.testing.wait_all_tasks_blocked(0.02)
    assert await ask_desk(link)


async def test_slow_host_costs_its_deadline_only(town: Town) -> None:
    """The total deadline ends a call that the host would answer much later."""
    town.weather.change(slow_s=30)
    link = town.link("agency_duty")
    with trio.fail_after(20), pytest.raises(OutcomeUnknown, match="no complete answer in time"):
        await ask_desk(link, deadline_s=0.3)


async def test_dropped_answer_is_unknown_although_booked(town: Town) -> None:
    """The host booked the call and said nothing: for us that is unknown, never fine and never failed."""
    town.weather.change(drop_answer=True)
    link = town.link("agency_duty")
    with pytest.raises(OutcomeUnknown):
        await ask_desk(link, deadline_s=1.0)
    with trio.fail_after(30):
        while not town.desk.calls():
            await trio.sleep(0.01)
    assert len(town.desk.calls()) == 1


async def test_hanging_calls_are_bounded(town: Town) -> None:
    """When all places are held by calls that hang, the next one is unknown at once instead of taking a thread."""
    town.weather.change(slow_s=30)
    link = town.link("agency_duty")

    async def hang() -> None:
        with pytest.raises(OutcomeUnknown):
            await ask_desk(link, deadline_s=2.0)

    async with trio.open_nursery() as nursery:
        for _ in range(CALLS_MAX):
            nursery.start_soon(hang)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(OutcomeUnknown, match="too many calls are hanging"):
            await ask_desk(link)
        nursery.cancel_scope.cancel()


class Trickler:
    """A host that sends its headers one byte at a time and never comes to an end."""

    def __init__(self, pki: Pki) -> None:
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(pki.hosts_ca))
        self._tls.verify_mode = ssl.CERT_REQUIRED
        self._tls.load_cert_chain(pki.host_certificate, pki.host_key)

    async def serve(self, *, task_status: trio.TaskStatus[int]) -> None:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        task_status.started(listener.socket.getsockname()[1])
        await trio.serve_listeners(self._trickle, [trio.SSLListener(listener, self._tls)])

    async def _trickle(self, stream: trio.SSLStream[trio.SocketStream]) -> None:
        try:
            await stream.receive_some()
            await stream.send_all(b"HTTP/1.1 200 OK\r\nX-Endless: ")
            while True:
                await stream.send_all(b"x")
                await trio.sleep(0.02)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            await trio.aclose_forcefully(stream)


async def test_trickling_host_frees_its_threads(town: Town, nursery: trio.Nursery) -> None:
    """A host that never stops sending headers cannot use up the places: each abandoned call is hung up."""
    town.ports["trickler"] = await nursery.start(Trickler(town.pki).serve)
    link = town.link("trickler")
    for _ in range(CALLS_MAX + 2):
        with pytest.raises(OutcomeUnknown, match="no complete answer in time"):
            await link.call("GET", "/anything", deadline_s=0.15)
    nursery.cancel_scope.cancel()


async def test_resident_who_leaves_ends_the_call(town: Town) -> None:
    """A call that is cancelled from outside hangs up as well and frees its place."""
    town.weather.change(slow_s=30)
    link = town.link("agency_duty")
    for _ in range(CALLS_MAX + 2):
        with trio.move_on_after(0.1):
            await ask_desk(link)
    town.weather.clear()
    assert await ask_desk(link)


async def test_refusal_carries_the_hosts_code_and_words(town: Town) -> None:
    """A problem document becomes a refusal with the host's code and its words for people."""
    town.weather.change(refuse_code="closed_today", only=frozenset({"agency_duty"}))
    with pytest.raises(HostRefused) as refused:
        await ask_desk(town.link("agency_duty"))
    assert (refused.value.host, refused.value.code) == ("agency_duty", "closed_today")
    assert refused.value.words == "业务不允许"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(400, b"nope", "text/plain"),
        Reply(403, b"{}", "application/problem+json"),
        Reply(409, '{"code": "two words 张三"}'.encode(), "application/problem+json"),
        Reply(302, b"{}"),
        Reply(200, b"[" * 100_000),
        Reply(200, b'{"a": NaN}'),
        Reply(200, b'{"a": "' + b"x" * 2_000_000 + b'"}'),
    ],
    ids=["text", "no-code", "code-of-words", "redirect", "nested", "nan", "too-long"],
)
async def test_odd_answers_are_unknown(town: Town, odd: Oddity, reply: Reply) -> None:
    """Whatever is neither an answer nor a proper refusal is unknown."""
    odd.reply = reply
    with pytest.raises(OutcomeUnknown):
        await town.link("oddity").call("GET", "/anything")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": "99999999999"}, 86_400.0),
        ({"Retry-After": "Sun, 22 Nov 2026 08:05:00 GMT", "Date": "Sun, 22 Nov 2026 08:00:00 GMT"}, 300.0),
        ({"Retry-After": "Sun, 22 Nov 2026 07:00:00 GMT", "Date": "Sun, 22 Nov 2026 08:00:00 GMT"}, 0.0),
        ({"Retry-After": "Sun, 22 Nov 2026 08:05:00 GMT"}, 0.0),
        ({"Retry-After": "-5"}, 0.0),
        ({"Retry-After": "\u0665"}, 0.0),
        ({"Retry-After": "soon"}, 0.0),
        ({}, 0.0),
    ],
)
def test_the_hosts_own_time_is_understood(headers: dict[str, str], seconds: float) -> None:
    """Retry-After in seconds or as a date beside the answer's own date; at most a day; noise is no time."""
    assert retry_after_s(headers) == seconds


async def test_decimals_stay_decimal(town: Town, odd: Oddity) -> None:
    """An amount never passes through binary floating point."""
    odd.reply = Reply(200, b'{"amount": 4.52}')
    body = (await town.link("oddity").call("GET", "/anything")).body
    assert body == {"amount": Decimal("4.52")}
    assert isinstance(body["amount"], Decimal)


async def test_empty_answer_is_none(town: Town, odd: Oddity) -> None:
    """An answer without content is done, with nothing in it."""
    odd.reply = Reply(204)
    answer = await town.link("oddity").call("POST", "/anything")
    assert (answer.status, answer.body) == (204, None)


async def test_document_past_its_limit_is_unknown(town: Town, odd: Oddity) -> None:
    """A document is cut off at the limit that the caller set."""
    odd.reply = Reply(200, b"x" * 100_000, "application/pdf")
    link = town.link("oddity")
    assert len(await link.fetch("/anything", bytes_max=100_000)) == 100_000
    with pytest.raises(OutcomeUnknown, match="exceeds"):
        await link.fetch("/anything", bytes_max=99_999)


async def test_host_of_another_authority_is_not_spoken_to(town: Town, tmp_path: Path) -> None:
    """A server whose certificate is not from the pinned authority never sees the question."""
    own = town.settings("agency_duty")
    strange = make_pki(tmp_path / "strange")
    settings = HostSettings(
        url=own.url, ca=str(strange.hosts_ca), certificate=own.certificate, private_key=own.private_key
    )
    with pytest.raises(OutcomeUnknown):
        await ask_desk(town.link("agency_duty", settings))
    assert town.desk.calls() == []


async def test_terminal_without_our_certificate_is_refused(town: Town, tmp_path: Path) -> None:
    """A terminal with a certificate of another authority gets no answer, and nothing is booked."""
    own = town.settings("agency_duty")
    strange = make_pki(tmp_path / "strange")
    settings = HostSettings(
        url=own.url,
        ca=own.ca,
        certificate=str(strange.terminal_certificate),
        private_key=str(strange.terminal_key),
    )
    with pytest.raises(OutcomeUnknown):
        await ask_desk(town.link("agency_duty", settings))
    assert town.desk.calls() == []


@pytest.mark.parametrize("missing", ["ca", "certificate", "private_key", "url"])
async def test_terminal_without_files_starts_and_knows_nothing(town: Town, missing: str) -> None:
    """A missing certificate file or address does not keep a terminal from starting; the host is unknown to it."""
    settings = msgspec.structs.replace(town.settings("agency_duty"), **{missing: ""})
    with pytest.raises(OutcomeUnknown):
        await ask_desk(town.link("agency_duty", settings))


async def test_production_trusts_no_test_host(town: Town) -> None:
    """A production terminal does not speak to a sandbox, even when its settings point there."""
    link = HttpsHostLink("agency_duty", town.settings("agency_duty"), lambda event, **fields: None, production=True)
    with pytest.raises(OutcomeUnknown, match="a TEST authority in production"):
        await ask_desk(link)
    assert town.desk.calls() == []


async def test_plain_http_is_never_spoken(town: Town) -> None:
    """An address without TLS is not used at all."""
    settings = msgspec.structs.replace(town.settings("agency_duty"), url="http://127.0.0.1:9")
    with pytest.raises(OutcomeUnknown, match="no https address"):
        await ask_desk(town.link("agency_duty", settings))


async def test_every_host_says_that_it_is_there(town: Town) -> None:
    """Doctor's question is answered by every host."""
    for name in town.ports:
        assert (await town.link(name).call("GET", "/v1/health")).body == {"status": "ok"}


async def test_sessions_are_used_again(town: Town) -> None:
    """Calls one after the other share a connection: a handshake is paid once."""
    link = town.link("agency_duty")
    for _ in range(3):
        await ask_desk(link)
    assert len(link._idle) == 1


async def test_proxies_of_the_environment_are_ignored(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an environment variable says about proxies does not move a terminal's traffic."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    assert await ask_desk(town.link("agency_duty"))


async def test_log_holds_no_personal_data(town: Town) -> None:
    """Neither the log nor the exception of a failed call names a person or a card."""
    from kiosk.hosts.social_insurance.client import SocialInsuranceClient

    card, holder = town.identity("chen_ji"), town.holder("chen_ji")
    town.weather.change(garbage=True)
    with pytest.raises(OutcomeUnknown) as unknown:
        await SocialInsuranceClient(town.link("social_insurance")).overview(card, holder)
    told = " ".join(town.logged) + str(unknown.value) + repr(unknown.value.__cause__)
    assert town.logged
    for secret in (holder.social_security_number, holder.name, card.card_number, card.identification_code.hex()):
        assert secret not in told


def test_requests_is_imported_late() -> None:
    """Importing the link does not load requests, which would cost the first frame a tenth of a second."""
    code = "import sys, kiosk.hosts.link; sys.exit('requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_unknown_switch_is_refused() -> None:
    """A misspelt weather switch is an error, not fair weather."""
    with pytest.raises(ValueError, match="no such switch"):
        Weather().change(rain=True)


def _page(address: str, ca: str) -> tuple[int, str]:
    """As a telephone opens it: a known authority, no certificate of its own."""
    with urllib.request.urlopen(address, context=ssl.create_default_context(cafile=ca), timeout=30) as answer:  # noqa: S310 - ours
        return answer.status, answer.read().decode()


async def test_only_the_check_of_certificates_is_public(town: Town) -> None:
    """Anyone may open the public page; every other host hangs up on whoever shows no certificate."""
    for name, port in town.ports.items():
        ask = partial(_page, f"https://127.0.0.1:{port}/v1/health", str(town.pki.hosts_ca))
        if name == "certificate_check":
            assert (await trio.to_thread.run_sync(ask))[0] == 200
        else:
            with pytest.raises(OSError, match=r"(?i)certificate|closed|reset"):
                await trio.to_thread.run_sync(ask)
