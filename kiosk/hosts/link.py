"""The one way out to a host: requests over mutual TLS, with a total deadline. Sole importer of requests.

A call runs in a thread that is abandoned at the deadline: the deadline counts everything, from the queue to the last
byte, which requests' own time-outs (per socket operation) cannot. Abandoning hangs up, which wakes the thread; one that
still does not end holds its place among ``CALLS_MAX``, so that a host can never use up the machine.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NoReturn

import trio

from kiosk.hosts.line import Line, new_line
from kiosk.hosts.parts import part_of
from kiosk.ports import HostAnswer, HostRefused, Log, OutcomeUnknown, Part, PlainAnswer
from kiosk.settings.config import HostSettings

if TYPE_CHECKING:
    import requests

CALLS_MAX = 8  # threads a host may hold, abandoned ones included; one resident needs two at most
JSON_BYTES_MAX = 1024 * 1024  # 13 months of five insurances are 15 kB
CHUNK_BYTES = 16 * 1024
IDLE_LINES_MAX = 4
CODE_SHAPE = re.compile(r"[A-Za-z0-9._-]{1,64}")
RETRY_AFTER_S_MAX = 86_400.0
WORDS_MAX = 200  # characters of a host's own text that a screen shows


class HttpsHostLink:
    """Implements ``ports.HostLink``. ``name`` is the host's in logs and exceptions.

    A host without an address, and certificate files that are missing or broken, make every call unknown: a terminal
    without this host still serves what needs only the chip. ``doctor`` tells staff. With ``production`` an authority
    that is marked TEST counts as broken (pins-and-keys 10). ``for_time``: this link asks what the time is.
    """

    def __init__(
        self, name: str, settings: HostSettings, log: Log, *, production: bool = False, for_time: bool = False
    ) -> None:
        self._name = name
        self._settings = settings
        self._log = log
        self._production = production
        self._for_time = for_time
        self._places = trio.CapacityLimiter(CALLS_MAX)
        self._idle: list[Line] = []
        self._closed = False
        self.clock_skew_s: float | None = None  # the newest answer's Date less our clock; None: nobody was heard yet
        self.skew_told: Callable[[float], None] = lambda skew_s: None  # at each answer with a Date

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        key: str = "",
        deadline_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HostAnswer:
        """One question, one answer; the contract is ``ports.HostLink.call``. Nothing is ever repeated here."""
        told = {"Accept": "application/json, application/problem+json", **(headers or {})}
        if key:
            told["Idempotency-Key"] = key
        sent = None
        if body is not None:
            sent = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
            told["Content-Type"] = "application/json"
        status, raw = await self._exchange(method, path, told, sent, JSON_BYTES_MAX, deadline_s)
        return HostAnswer(status, self._decoded(raw) if raw else None)

    async def fetch(self, path: str, *, bytes_max: int, deadline_s: float | None = None) -> bytes:
        """A binary document; the contract is ``ports.HostLink.fetch``."""
        status, raw = await self._exchange("GET", path, {"Accept": "*/*"}, None, bytes_max, deadline_s)
        if status != 200:
            self._unknown(f"status {status} without a document")
        return raw

    async def send(
        self, path: str, content: bytes, content_type: str, *, bytes_max: int, deadline_s: float | None = None
    ) -> PlainAnswer:
        """What is no JSON; the contract is ``ports.PlainLink``."""
        told = {"Accept": "*/*", "Content-Type": content_type}
        exchange = await self._held("POST", path, told, content, bytes_max, deadline_s)
        self._judge(exchange)
        return PlainAnswer(exchange.status, exchange.received, exchange.retry_after_s)

    async def fetch_part(
        self,
        path: str,
        *,
        first: int = 0,
        bytes_max: int,
        etag: str = "",
        deadline_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Part | None:
        """A piece of a document; the contract is ``ports.DocumentLink``."""
        told = {"Accept": "*/*", "Range": f"bytes={first}-{first + bytes_max - 1}", **(headers or {})}
        if etag and first:
            told["If-Range"] = etag
        exchange = await self._held("GET", path, told, None, bytes_max, deadline_s, cuts=True)
        if exchange.status in (404, 410):
            return None
        self._judge(exchange)
        try:
            return part_of(exchange.status, exchange.headers, exchange.received, exchange.was_cut)
        except ValueError:
            self._unknown("a piece that was not asked for")

    def close(self) -> None:
        """Close idle connections. A call still under way closes its own when it ends."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    async def _exchange(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        sent: bytes | None,
        bytes_max: int,
        within_s: float | None,
    ) -> tuple[int, bytes]:
        exchange = await self._held(method, path, headers, sent, bytes_max, within_s)
        self._judge(exchange)
        return exchange.status, exchange.received

    async def _held(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        sent: bytes | None,
        bytes_max: int,
        within_s: float | None,
        cuts: bool = False,
    ) -> _Exchange:
        """A complete exchange, not judged yet. ``cuts``: what is longer than ``bytes_max`` is cut there, not failed."""
        deadline_s = within_s or self._settings.deadline_s
        if not self._settings.url.startswith("https://"):
            self._unknown("no https address in the settings")
        if self._places.available_tokens < 1:
            self._unknown("too many calls are hanging")
        exchange = _Exchange(self._settings.url.rstrip("/") + path, method, headers, sent, bytes_max, deadline_s)
        exchange.cuts = cuts
        began = trio.current_time()
        try:
            with trio.move_on_after(deadline_s) as limit:
                await trio.to_thread.run_sync(self._run, exchange, abandon_on_cancel=True, limiter=self._places)
        finally:
            exchange.abandon()  # when the deadline passed, or when the resident left; else there is nothing left to end
        if limit.cancelled_caught:
            self._unknown("no complete answer in time")
        if exchange.failure:
            self._unknown(exchange.failure)
        if exchange.skew_s is not None:
            self.clock_skew_s = exchange.skew_s
            self.skew_told(exchange.skew_s)
        took_ms = round((trio.current_time() - began) * 1000)
        self._log("host_call", host=self._name, method=method, status=exchange.status, milliseconds=took_ms)
        return exchange

    def _run(self, exchange: _Exchange) -> None:
        """In the thread. A line is used by one thread at a time and kept only after a complete answer."""
        try:
            line = self._take_line()
        except OSError as error:  # ssl.SSLError is one
            exchange.failure = f"certificate files cannot be used: {error.strerror or type(error).__name__}"
            return
        if exchange.run(line) and not self._closed and len(self._idle) < IDLE_LINES_MAX:
            self._idle.append(line)
        else:
            line.close()

    def _take_line(self) -> Line:
        with contextlib.suppress(IndexError):  # list.pop is atomic; asking for the length first would race
            return self._idle.pop()
        return new_line(self._settings, production=self._production, for_time=self._for_time)

    def _judge(self, exchange: _Exchange) -> None:
        """Two hundreds pass; four hundreds with a problem document refuse; all else is unknown."""
        if 200 <= exchange.status < 300:
            return
        if not 400 <= exchange.status < 500:
            self._unknown(f"status {exchange.status}", exchange.retry_after_s)
        problem = _problem(exchange.received)
        code = problem.get("code", problem.get("errorCode"))  # the latter is hawkBit's
        if not isinstance(code, str) or not CODE_SHAPE.fullmatch(code):  # a proxy's page for people: it may name a time
            self._unknown(f"status {exchange.status} without a problem document", exchange.retry_after_s)
        title = problem.get("title")
        self._log("host_refused", host=self._name, code=code, status=exchange.status)
        words = title[:WORDS_MAX] if isinstance(title, str) else ""
        raise HostRefused(self._name, code, words, exchange.retry_after_s)

    def _decoded(self, raw: bytes) -> Any:
        try:
            return json.loads(raw.decode(), parse_float=Decimal, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            self._unknown("answer is not JSON")

    def _unknown(self, why: str, retry_after_s: float = 0.0) -> NoReturn:
        self._log("host_unknown", host=self._name, why=why)
        raise OutcomeUnknown(self._name, why, retry_after_s) from None


class _Exchange:
    """One request in its thread: what goes out, what came in, or in a few words why nothing did."""

    def __init__(
        self, url: str, method: str, headers: dict[str, str], sent: bytes | None, bytes_max: int, deadline_s: float
    ) -> None:
        self._url = url
        self._method = method
        self._headers = headers
        self._sent = sent
        self._bytes_max = bytes_max
        self._deadline_s = deadline_s
        self._line: Line | None = None  # while the request is under way
        self._abandoned = False
        self.cuts = False
        self.was_cut = False
        self.headers: Mapping[str, str] = {}
        self.status = 0
        self.received = b""
        self.retry_after_s = 0.0
        self.skew_s: float | None = None
        self.failure = ""

    def abandon(self) -> None:
        """From outside: nobody waits any more."""
        self._abandoned = True
        line = self._line
        if line is not None:
            line.hang_up()

    def run(self, line: Line) -> bool:
        """Fill ``status`` and ``received`` and return True, or fill ``failure``: the words carry no address or body."""
        import requests
        from urllib3.exceptions import HTTPError

        self._line = line
        try:
            with line.session.request(
                self._method,
                self._url,
                data=self._sent,
                headers=self._headers,
                stream=True,
                allow_redirects=False,
                timeout=self._deadline_s,  # for each socket operation: bounds an abandoned thread
            ) as response:
                self.status = response.status_code
                self.headers = response.headers
                self.retry_after_s = retry_after_s(response.headers)
                self.skew_s = _skew_s(response.headers)
                self.received = self._body(response)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            # The last three: what requests forgets to wrap.
            self.failure = self.failure or f"no answer: {type(error).__name__}"
        finally:
            self._line = None
        return not self.failure and not self.was_cut

    def _body(self, response: requests.Response) -> bytes:
        collected = bytearray()
        until_s = time.monotonic() + self._deadline_s
        for chunk in response.iter_content(CHUNK_BYTES):
            collected += chunk
            if len(collected) > self._bytes_max:
                self.was_cut = self.cuts
                self.failure = "" if self.cuts else "answer exceeds its limit"
                break
            if self._abandoned or time.monotonic() > until_s:
                self.failure = "answer trickles in"
                break
        return bytes(collected[: self._bytes_max])


def retry_after_s(headers: Mapping[str, str]) -> float:
    """Seconds of a Retry-After (RFC 9110, 10.2.3), at most a day; 0 without one. A date counts from the answer's own
    Date, so that a wrong clock here does not matter."""
    told = headers.get("Retry-After", "")
    if told.isascii() and told.isdigit():
        return min(float(told[:9]), RETRY_AFTER_S_MAX)
    try:
        wait = parsedate_to_datetime(told) - parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError):
        return 0.0
    return min(max(wait.total_seconds(), 0.0), RETRY_AFTER_S_MAX)


def _skew_s(headers: Mapping[str, str]) -> float | None:
    """How far the host's clock is ahead of ours; None without a Date that says so."""
    try:
        return parsedate_to_datetime(headers.get("Date", "")).timestamp() - time.time()
    except (TypeError, ValueError):
        return None


def _problem(raw: bytes) -> dict[str, Any]:
    """A problem document, or an empty one where it is none."""
    try:
        found = json.loads(raw.decode())
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError("NaN and infinities are no JSON")
