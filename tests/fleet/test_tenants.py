"""Every path of every part, asked with another city's identity: answered like what nobody has, and on record."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import peewee
import pytest
from starlette.routing import Route

from provisioning.fleet.people import persons
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.rollouts import Rollout
from provisioning.fleet.schema.software import Action, DistributionSet
from tests.fleet.client import Client
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.console import town
from tests.fleet.console.desk import Console
from tests.fleet.people import make_person
from tests.fleet.terminals import add_terminal, shown
from tests.fleet.test_management import Office

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
# Paths that name no city and no row of one: there is nothing in them that could be another city's.
OF_NOBODY = ("/v1/health", "/v1/calls", "/.well-known/est/", "/enrolment/v1/", "/console/sign-in", "/console/me",
             "/console/language", "/console/invited/", "/console/enrolment", "/console/static")  # fmt: skip
TOLD: Mapping[str, Mapping[str, object]] = {"POST": {}, "PUT": {}}  # JSON that says nothing
EVERYTHING = ("viewer", "operator", "approver", "key_officer", "auditor", "system_admin", "security_admin")


@pytest.fixture
def city(database: peewee.Database, tmp_path: Path) -> Console:
    console = Console(tmp_path / "home")
    town.build(CITY, console.time.at_ms)
    return console


def filled(path: str) -> str:
    """The path with what this city has in each place of it."""
    there: Mapping[str, object] = {
        "tenant": CITY,
        "terminal_id": "T0000001",
        "controller": "T0000001",
        "place": persons.root(CITY).id,
        "proposal": 1,
        "rollout": Rollout.get().id,
        "fingerprint": town.FINGERPRINT,
        "login": "liu",
        "set": DistributionSet.get().id,
        "action": Action.get().id,
    }
    return PARAMETER.sub(lambda found: str(there.get(found[1], "1")), path)


def asked(console: Console, begins: str) -> Iterator[tuple[str, str]]:
    """Method and path of every route that begins so and has something of a city in it."""
    for route in console.app.routes:
        if isinstance(route, Route) and route.path.startswith(begins) and "{" in route.path:
            for method in sorted(route.methods or {"GET"}) if not route.path.startswith(OF_NOBODY) else ():
                yield method, filled(route.path)


def turned_away() -> int:
    """Rows of both cities, and how many more there were."""
    rows = AuditRow.select().where((AuditRow.act == "turned_away") & AuditRow.tenant.in_([CITY, OTHER]))
    return sum(1 + int(row.facts.get("passed_over", 0)) for row in rows)


def test_every_route_is_asked_below(city: Console) -> None:
    """A new path is either asked by another city here, or is named as one that has nothing of a city."""
    begins = ("/{tenant}/", "/v1/terminals/", "/console/{tenant}/", "/rest/v1/")
    left = [
        route.path
        for route in city.app.routes
        if isinstance(route, Route) and "{" in route.path and not route.path.startswith((*begins, *OF_NOBODY))
    ]
    assert left == []


def test_another_citys_terminal_is_refused_on_every_path(city: Console) -> None:
    """With a good certificate of its own city."""
    add_terminal("T9000001", OTHER, "BB01")
    client = Client(city.app, shown("BB01"))
    paths = [*asked(city, "/{tenant}/"), *asked(city, "/v1/terminals/"), ("POST", f"/{CITY}/terminal/v1/T0000001/poll")]
    answers = {f"{method} {path}": client.ask(method, path, told=TOLD.get(method)).status for method, path in paths}
    assert len(answers) > 30 and {asked: status for asked, status in answers.items() if status != 404} == {}
    assert turned_away() > len(paths)


def test_another_citys_person_is_refused_on_every_page(city: Console) -> None:
    """With every role in their own city, for looking and for doing."""
    desk = city.person(OTHER, "stranger", *EVERYTHING)
    paths = [*asked(city, "/console/{tenant}/")]
    answers = {f"{method} {path}": desk.client.ask(method, path).status for method, path in paths}
    assert len(answers) > 30 and {asked: status for asked, status in answers.items() if status != 404} == {}
    assert turned_away() > len(paths)


def test_a_person_of_nowhere_sees_no_city(city: Console) -> None:
    """Somebody without any role is signed in and sees nothing of any city, not even which there are."""
    make_person(OTHER, "nobody")
    desk = city.person(CITY, "bare")
    assert {desk.client.ask(method, path).status for method, path in asked(city, "/console/{tenant}/")} == {404}
    page = desk.get("/console/").text
    assert "no role in any city" in page and "Sample City" not in page


def test_another_citys_program_is_refused_on_every_row(city: Console, tmp_path: Path) -> None:
    """Lists are empty of what is this city's; what is asked for by number is nobody's."""
    office = Office(tmp_path / "office", OTHER)
    office.at_ms = city.time.at_ms
    for method, path in asked(city, "/rest/v1/"):
        if "types/" in path:  # hawkBit's own types, the same in every city
            continue
        answer = office.program.ask(method, path, told=TOLD.get(method))
        assert answer.status in (400, 404), f"{method} {path}: {answer.status}"
        assert method in ("POST", "PUT") or answer.status == 404, f"{method} {path}"
