"""A host link without any wire: a client and a sandbox in one task, with the published document between them."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # its stubs are a package of their own

from kiosk.ports import HostAnswer, HostRefused, OutcomeUnknown
from simulators.hosts import Sandbox
from simulators.hosts.sandbox import Ask, Reply

DOCUMENTS = Path(__file__).parents[2] / "docs" / "hosts"


def document(name: str) -> dict[str, Any]:
    """A published OpenAPI document."""
    read: dict[str, Any] = yaml.safe_load((DOCUMENTS / f"{name}.yaml").read_text(encoding="utf-8"))
    return read


class DocumentedLink:
    """Implements ``ports.HostLink``; fails the test when a question or an answer is not as documented."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._document = document(sandbox.name)
        self.operations: list[str] = []

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
        reply = self._judged(method, path, json.loads(body) if isinstance(body, bytes) else body, key, headers)
        if reply.status >= 500:
            raise OutcomeUnknown(self._sandbox.name, f"status {reply.status}")
        told = json.loads(reply.body, parse_float=Decimal)
        if reply.status >= 400:
            raise HostRefused(self._sandbox.name, told["code"], told["title"])
        return HostAnswer(reply.status, told)

    async def fetch(self, path: str, *, bytes_max: int, deadline_s: float | None = None) -> bytes:
        reply = self._judged("GET", path, None, "")
        if reply.status >= 400:
            raise HostRefused(self._sandbox.name, json.loads(reply.body)["code"])
        assert len(reply.body) <= bytes_max
        return reply.body

    def _judged(self, method: str, path: str, body: Any, key: str, headers: Mapping[str, str] | None = None) -> Reply:
        operation = self._operation(method, path)
        self.operations.append(operation["operationId"])
        if body is not None:
            self._conforms(body, operation["requestBody"]["content"]["application/json"]["schema"])
        names = {self._resolved(one)["name"] for one in operation.get("parameters", ())}
        assert bool(key) == ("Idempotency-Key" in names)
        sent = json.dumps(body).encode() if body is not None else b""
        reply = self._sandbox.answer(Ask(method, path, sent, key, headers=dict(headers or {})))
        described = self._resolved(operation["responses"][str(reply.status)])
        schema = described["content"][reply.content_type].get("schema")
        if schema is not None:
            self._conforms(json.loads(reply.body), schema)
        return reply

    def _operation(self, method: str, path: str) -> dict[str, Any]:
        for template, operations in self._document["paths"].items():
            if re.fullmatch(re.sub(r"\{[a-z]+\}", "[^/]+", template), path) and method.lower() in operations:
                found: dict[str, Any] = operations[method.lower()]
                return found
        raise AssertionError(f"{method} {path} is not documented")

    def _resolved(self, part: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in part:
            return part
        found: Any = self._document
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        resolved: dict[str, Any] = found
        return resolved

    def _conforms(self, body: Any, schema: dict[str, Any]) -> None:
        judge = Draft202012Validator(
            {**schema, "components": self._document["components"]},
            format_checker=Draft202012Validator.FORMAT_CHECKER,
        )
        judge.validate(body)
