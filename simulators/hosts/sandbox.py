"""What every sandbox is: a plain object that answers questions, with a small SQLite file for a memory.

``answer`` is all there is to it, so that a simulation calls a sandbox without any server.
"""

import json
import re
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from simulators.hosts.weather import Weather
from simulators.worlds.world import World

T = TypeVar("T")
BODY_BYTES_MAX = 64 * 1024
AT_WORK_MAX = 256
KEY_SHAPE = re.compile(r"[A-Za-z0-9-]{4,64}")


@dataclass(frozen=True)
class Ask:
    """One question: ``path`` without the query, ``key`` the Idempotency-Key."""

    method: str
    path: str
    body: bytes = b""
    key: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes = b""
    content_type: str = "application/json"


SILENCE = Reply(0)  # the host heard, and says nothing


class Refusal(Exception):
    """A no, as a problem document (RFC 9457 with a ``code``)."""

    def __init__(self, status: int, code: str, title: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.title = title

    def reply(self) -> Reply:
        problem = {"type": "about:blank", "status": self.status, "code": self.code, "title": self.title}
        return Reply(self.status, json.dumps(problem, ensure_ascii=False).encode(), "application/problem+json")


class Part(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A documented question; an undocumented field is refused, so that client and document cannot drift apart."""


Route = tuple[str, re.Pattern[str], Callable[..., Reply]]


def route(method: str, path: str, handle: Callable[..., Reply]) -> Route:
    """``path`` is a regular expression; its groups become arguments after the question."""
    return method, _pattern(path), handle


@cache  # there are more patterns in this folder than the standard library keeps
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(path)


class Sandbox:
    """``directory`` holds ``<name>.sqlite``; ``clock`` gives local time with its zone."""

    name = ""
    public = False  # whether anyone may ask, without a client certificate
    schema = ""
    read_beside = False  # whether others read its file while it writes

    def __init__(
        self, world: World, directory: Path, weather: Weather, clock: Callable[[], datetime] | None = None
    ) -> None:
        self.world = world
        self.weather = weather
        self.clock = clock or (lambda: datetime.now().astimezone())
        directory.mkdir(parents=True, exist_ok=True)
        self.books = sqlite3.connect(directory / f"{self.name}.sqlite", check_same_thread=False, isolation_level=None)
        if self.read_beside:
            self.books.execute("PRAGMA journal_mode = WAL")
        self.books.executescript(f"BEGIN; {self.schema}; COMMIT")  # one commit, not one for each table
        self._one_at_a_time = threading.Lock()
        # From a question's head to the last byte of its answer, by ``time.perf_counter``: for who measures terminals.
        self.at_work: deque[tuple[float, float]] = deque(maxlen=AT_WORK_MAX)

    def routes(self) -> list[Route]:
        raise NotImplementedError

    def answer(self, ask: Ask) -> Reply:
        """Answer one question; never raises for anything a terminal may send."""
        with self._one_at_a_time:
            try:
                return self._routed(ask)
            except Refusal as refusal:
                return refusal.reply()

    def close(self) -> None:
        self.books.close()

    def _routed(self, ask: Ask) -> Reply:
        if len(ask.body) > BODY_BYTES_MAX:
            raise Refusal(413, "too_large", "请求过大")
        if (ask.method, ask.path) == ("GET", "/v1/health"):
            return json_reply({"status": "ok"})
        for method, path, handle in self.routes():
            found = path.fullmatch(ask.path)
            if found and method == ask.method:
                return handle(ask, *found.groups())
        raise Refusal(404, "no_such_service", "没有这项服务")


def question(ask: Ask, shape: type[T]) -> T:
    """The body as ``shape``; refuses what the document does not allow."""
    try:
        return msgspec.json.decode(ask.body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Refusal(400, "bad_request", "请求格式不正确") from None


def required_key(ask: Ask) -> str:
    """The Idempotency-Key of an act; an act without one is refused."""
    if not KEY_SHAPE.fullmatch(ask.key):
        raise Refusal(400, "key_missing", "缺少请求编号")
    return ask.key


def json_reply(body: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(body, ensure_ascii=False).encode())
