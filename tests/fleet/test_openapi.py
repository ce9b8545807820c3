"""The published document says what there is, and what it says holds for questions that nobody thought of."""

import json
from pathlib import Path
from typing import Any

import peewee
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi import checks
from starlette.types import Receive, Scope, Send

from provisioning.fleet.app import every_route
from provisioning.fleet.commands.openapi import words
from provisioning.fleet.openapi import document
from tests.fleet.conftest import CITY
from tests.fleet.terminals import add_terminal, shown
from tests.fleet.test_management import Office, basic

PUBLISHED = Path("docs/hosts/fleet.json")
FEW, MANY = 2, 20  # examples of each operation; there are nearly a hundred


def test_the_document_is_of_this_version() -> None:
    """Every question that there is stands in the published document, and no other; see ``openapi`` of the fleet's
    commands, which writes it."""
    assert _questions(json.loads(PUBLISHED.read_text())) == _questions(json.loads(words()))


def _questions(told: dict[str, Any]) -> set[tuple[str, str, tuple[str, ...]]]:
    return {
        (path, method, tuple(one["name"] for one in operation.get("parameters", [])))
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
    }


def test_every_operation_has_a_name_of_its_own() -> None:
    """Tools make functions of them."""
    told = document(every_route())["paths"]
    names = [operation["operationId"] for methods in told.values() for operation in methods.values()]
    assert len(names) == len(set(names)) > 60


class Proven:
    """The application as nginx leads to it: each path's own face, a terminal's certificate, a program's secret."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._basic = office.program.headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":  # no work beside the questions: the clock of this fleet stands still
            for done in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{done}.complete"})
            return
        if scope["type"] == "http":
            people = scope["path"].startswith("/rest/v1")
            own = self._basic if people else shown("0A01")
            mine = [(name.lower().encode(), value.encode()) for name, value in own.items()]
            names = {name for name, _ in mine}
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] not in names] + mine}
        await self._office.app(scope, receive, send)


@pytest.mark.parametrize(
    ("database", "examples"),
    [("sqlite", FEW), pytest.param("postgresql", MANY, marks=[pytest.mark.slow, pytest.mark.timeout(400)])],
    indirect=["database"],
)
def test_questions_that_nobody_thought_of(database: peewee.Database, examples: int, tmp_path: Path) -> None:
    """No question of the document's shape, or near it, makes the server fail; refusals have the shape of refusals."""
    add_terminal("T0000001", CITY, "0A01")
    office = Office(tmp_path)
    office.furnish()
    schema = schemathesis.openapi.from_dict(_for_us(document(every_route())))
    schema.app = Proven(office)
    asked = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        asked += _ask(operation, schema.app, examples)
    assert asked > 60


def _for_us(told: dict[str, Any]) -> dict[str, Any]:
    """The same, with our one city and terminal in the paths: otherwise everything would be 404."""
    text = (
        json.dumps(told)
        .replace("{tenant}", CITY)
        .replace("{terminal_id}", "T0000001")
        .replace("{controller}", "T0000001")
    )
    mine: dict[str, Any] = json.loads(text)
    for methods in mine["paths"].values():
        for operation in methods.values():
            gone = ("tenant", "terminal_id", "controller")
            operation["parameters"] = [one for one in operation.get("parameters", []) if one["name"] not in gone]
    return mine


def _ask(operation: Any, app: Any, examples: int) -> int:
    count = 0

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def run(case: Any) -> None:
        nonlocal count
        count += 1
        answer = case.call(app=app)
        assert answer.status_code < 500, f"{case.method} {case.formatted_path}: {answer.status_code}"
        case.validate_response(answer, checks=[checks.response_schema_conformance, checks.status_code_conformance])

    given(case=operation.as_strategy())(run)()
    return count


def test_basic_is_basic() -> None:
    """The helper that tests use makes RFC 7617's header."""
    assert basic("a", "b")["Authorization"] == "Basic YTpi"
