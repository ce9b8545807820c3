"""The published document of the interface (OpenAPI 3.1), made from the routes themselves: it cannot fall behind.

Pages of the console are not in it: they are for people, and change with what people need.
"""

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from starlette.routing import BaseRoute, Route

from provisioning.fleet.live.poll import PollDesk
from provisioning.fleet.web import DESCRIBED
from provisioning.rules.poll import TENANT, TERMINAL_ID, PollAnswer, PollQuestion

VERSION = "1.0.0"
POLL = "/{tenant}/terminal/v1/{terminal_id}/poll"
_PARAMETER = re.compile(r"\{(\w+)(?::(\w+))?\}")
_PATTERNS = {"tenant": TENANT, "terminal_id": TERMINAL_ID, "controller": TERMINAL_ID, "sha256": "^[0-9a-f]{64}$"}
_REF = "#/components/schemas/{name}"
_INTRODUCTION = (
    "Of the fleet's server. Terminals ask over mutual TLS, or with hawkBit's TargetToken where a city allows it; "
    "programs ask /rest/v1 with HTTP Basic. What another city has is answered like what nobody has: 404."
)


def document(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The whole document as JSON values."""
    operations = [*_operations(routes)]
    shapes = [PollQuestion, PollAnswer, *(shape for *_, shape in operations if shape is not None)]
    named, components = msgspec.json.schema_components(shapes, ref_template=_REF)
    schema_of = dict(zip((str(shape) for shape in shapes), named, strict=True))
    paths: dict[str, dict[str, Any]] = {POLL: {"post": _poll(schema_of)}}
    for path, method, work, shape in operations:
        told = _operation(path, method, work, schema_of[str(shape)] if shape is not None else None)
        paths.setdefault(_PARAMETER.sub(r"{\1}", path), {})[method.lower()] = told
    return {
        "openapi": "3.1.0",
        "info": {"title": "Fleet", "version": VERSION, "description": _INTRODUCTION},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": {**components, "Problem": _PROBLEM}, "securitySchemes": _SCHEMES},
    }


def _operations(routes: Sequence[BaseRoute]) -> Iterator[tuple[str, str, Any, Any]]:
    for route in routes:
        if isinstance(route, Route) and not route.path.startswith("/console") and route.path != "/":
            described = DESCRIBED.get(route.endpoint)
            work = described.work if described else route.endpoint
            for method in sorted((route.methods or {"GET"}) - {"HEAD"}):
                yield route.path, method, work, described.shape if described else None


def _operation(path: str, method: str, work: Any, schema: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"operationId": _name(path, method), "responses": _answers(path)}
    words = inspect.getdoc(work)
    if words:
        told["summary"] = words.split("\n\n", 1)[0].replace("\n", " ")
    parameters = [_parameter(name, kind) for name, kind in _PARAMETER.findall(path)]
    if path.startswith("/rest/v1") and method == "GET" and not path.endswith("}"):
        parameters += [_query(name) for name in ("offset", "limit")]
    if parameters:
        told["parameters"] = parameters
    if schema is not None:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    security = _security(path)
    return {**told, "security": security} if security else told


def _poll(schema_of: dict[str, Any]) -> dict[str, Any]:
    told = _operation(POLL, "POST", PollDesk, schema_of[str(PollQuestion)])
    answer = {"description": "What is wanted.", "content": {"application/json": {"schema": schema_of[str(PollAnswer)]}}}
    later = {
        "description": "Later: not before Retry-After.",
        "headers": {"Retry-After": {"schema": {"type": "integer"}}},
    }
    return {**told, "summary": "The one question.", "responses": {"200": answer, "503": later, **_answers(POLL, {})}}


def _name(path: str, method: str) -> str:
    return method.lower() + "_" + re.sub(r"[^A-Za-z0-9]+", "_", _PARAMETER.sub(r"\1", path)).strip("_")


def _parameter(name: str, kind: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "minLength": 1}
    if name in _PATTERNS:
        schema["pattern"] = _PATTERNS[name]
    if kind in ("key", "int"):
        schema = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query(name: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": 999_999_999}}


def _answers(path: str, good: dict[str, Any] | None = None) -> dict[str, Any]:
    """Everything that is not well is a problem (RFC 9457); what is well depends on the page or shape."""
    well = {"2XX": {"description": "Well."}, "3XX": {"description": "Elsewhere, or nothing changed."}}
    problem = {"application/problem+json": {"schema": {"$ref": _REF.format(name="Problem")}}}
    bad: dict[str, Any] = {"description": "Not done, and why."}
    if path.startswith(("/rest", "/{tenant}")):
        bad["content"] = problem
    return {**(well if good is None else good), "default": bad}


def _security(path: str) -> list[dict[str, list[str]]]:
    if path.startswith("/rest/v1"):
        return [{"program": []}]
    if path == "/v1/health":
        return []
    return [{"certificate": []}, {"token": []}] if "/controller/" in path else [{"certificate": []}]


_PROBLEM = {
    "type": "object",
    "required": ["title", "status", "code", "detail"],
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "For programs."},
        "detail": {"type": "string", "description": "For people."},
    },
}
_SCHEMES = {
    "certificate": {"type": "mutualTLS"},
    "token": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "TargetToken SECRET"},
    "program": {"type": "http", "scheme": "basic", "description": "User CITY/NAME with its secret."},
}
