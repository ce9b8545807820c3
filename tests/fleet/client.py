"""Asks the fleet's application in memory, one question after the other, without a port and without background work."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import trio
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message

JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@dataclass
class Answer:
    """``body`` as it went over the wire; ``headers`` by lower-case name, ``cookies`` as they were set."""

    status: int = 0
    headers: MutableHeaders = field(default_factory=MutableHeaders)
    body: bytes = b""

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


class Client:
    """``headers`` go with every question. Cookies that an answer sets come back with the next one."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str] | None = None) -> None:
        self._app, self.headers = app, dict(headers or {})
        self.cookies: dict[str, str] = {}

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.ask("GET", path, headers)

    def delete(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.ask("DELETE", path, headers)

    def post(
        self,
        path: str,
        headers: Mapping[str, str] | None = None,
        *,
        told: Any = None,
        form: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """``told`` goes as JSON, ``form`` as a form, else ``body`` as it is."""
        return self.ask("POST", path, headers, told=told, form=form, body=body)

    def put(
        self, path: str, headers: Mapping[str, str] | None = None, *, told: Any = None, body: bytes = b""
    ) -> Answer:
        return self.ask("PUT", path, headers, told=told, body=body)

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        *,
        told: Any = None,
        form: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        sent = {name.lower(): value for name, value in {**self.headers, **(headers or {})}.items()}
        if told is not None:
            body, sent["content-type"] = json.dumps(told).encode(), JSON
        if form is not None:
            body, sent["content-type"] = urlencode(form).encode(), FORM
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = Answer()
        trio.run(self._exchange, _scope(method, path, {**sent, "content-length": str(len(body))}), body, answer)
        self._keep_cookies(answer)
        return answer

    async def ask_within(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """From inside a loop, where ``ask`` would begin one of its own."""
        sent = {name.lower(): value for name, value in headers.items()}
        answer = Answer()
        await self._exchange(_scope(method, path, {**sent, "content-length": str(len(body))}), body, answer)
        return answer

    async def _exchange(self, scope: dict[str, Any], body: bytes, answer: Answer) -> None:
        questions = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            if questions:
                return questions.pop()
            await trio.sleep_forever()
            raise AssertionError

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status, answer.headers = message["status"], MutableHeaders(raw=message["headers"])
            elif message["type"] == "http.response.body":
                answer.body += message.get("body", b"")

        await self._app(scope, receive, send)

    def _keep_cookies(self, answer: Answer) -> None:
        for line in answer.headers.getlist("set-cookie"):
            name, _, rest = line.partition("=")
            value = rest.partition(";")[0].strip('"')
            self.cookies[name] = value
            if not value or "max-age=0" in line.lower():
                del self.cookies[name]


def _scope(method: str, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    parts = urlsplit(path)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": None,
        "server": ("fleet", 443),
        "state": {},
    }
