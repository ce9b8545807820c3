"""Which terminal asks, and what becomes of those who are turned away."""

import hashlib
from pathlib import Path

import peewee
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from provisioning.fleet.identity import serial_hex, terminal_of
from provisioning.fleet.refusals import ROWS_MAX, WINDOW_MS, Refusals
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.places import Tenant
from provisioning.fleet.schema.terminals import Certificate, Terminal
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.web import ANSWERS, Fleet
from tests.fleet.client import Client
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.terminals import TOKEN, add_terminal, shown

SERIAL, FOREIGN = "0A01", "0B01"


def who(request: Request) -> JSONResponse:
    caller = terminal_of(request)
    return JSONResponse({"terminal": caller.terminal_id, "tenant": caller.tenant, "certificate": caller.certificate})


@pytest.fixture
def client(database: peewee.Database, tmp_path: Path) -> Client:
    add_terminal("T0000001", CITY, SERIAL)
    add_terminal("T0000002", CITY, "0A02")
    add_terminal("T9000001", OTHER, FOREIGN)
    routes = [Route("/{tenant}/who/{terminal_id}", who), Route("/who/{terminal_id}", who)]
    app = Starlette(routes=routes, exception_handlers=ANSWERS)
    app.state.fleet = Fleet(FleetSettings(home=str(tmp_path), public=str(tmp_path)), now_ms=lambda: 1_000)
    return Client(app)


def test_a_certificate_names_its_terminal(client: Client) -> None:
    """A verified certificate of an active terminal opens the paths of that terminal, with and without a city."""
    for path in (f"/{CITY}/who/T0000001", "/who/T0000001"):
        answer = client.get(path, headers=shown(SERIAL))
        assert (answer.status, answer.json()["terminal"]) == (200, "T0000001")


@pytest.mark.parametrize(
    ("path", "headers", "reason"),
    [
        (f"/{CITY}/who/T0000001", {}, "no certificate"),
        (f"/{CITY}/who/T0000001", {"X-Client-Serial": SERIAL}, "no certificate"),
        (f"/{CITY}/who/T0000001", {**shown(SERIAL), "X-Client-Verify": "FAILED:expired"}, "FAILED:expired"),
        (f"/{CITY}/who/T0000001", shown("FFFF"), "does not know"),
        (f"/{CITY}/who/T0000001", shown("0A02"), "path of another terminal"),
        (f"/{CITY}/who/T0000001", {"Authorization": f"TargetToken {TOKEN}"}, "tokens are not accepted"),
    ],
)
def test_refused_without_proof(client: Client, path: str, headers: dict[str, str], reason: str) -> None:
    """Who cannot prove to be the terminal of the path is refused like one that asks for nothing, and is on record."""
    answer = client.get(path, headers=headers)
    row = AuditRow.get(AuditRow.tenant == CITY)
    assert (answer.status, answer.json()["code"]) == (404, "not_found")
    assert row.act == "turned_away" and reason in row.why and row.facts["asked"] == f"GET {path}"


def test_refused_for_another_city(client: Client) -> None:
    """Another city's terminal is refused, and both cities have it on their trail."""
    answer = client.get(f"/{CITY}/who/T0000001", headers=shown(FOREIGN))
    told = {row.tenant_id: row.who for row in AuditRow.select()}
    assert answer.status == 404
    assert told == {CITY: "terminal:T9000001", OTHER: "terminal:T9000001"}


@pytest.mark.parametrize("state", ["registered", "stopped", "retired"])
def test_refused_unless_active(client: Client, state: str) -> None:
    """A terminal that is not active is refused with a certificate that holds."""
    Terminal.update(state=state).where(Terminal.terminal_id == "T0000001").execute()
    assert client.get(f"/{CITY}/who/T0000001", headers=shown(SERIAL)).status == 404
    assert state in AuditRow.get(AuditRow.tenant == CITY).why


def test_refused_once_revoked(client: Client) -> None:
    """A revocation is in force at the very next question."""
    assert client.get(f"/{CITY}/who/T0000001", headers=shown(SERIAL)).status == 200
    Certificate.update(revoked_ms=1).where(Certificate.serial == SERIAL).execute()
    assert client.get(f"/{CITY}/who/T0000001", headers=shown(SERIAL)).status == 404


def test_a_token_where_the_city_allows_it(client: Client) -> None:
    """A stock DDI client's token opens its terminal's paths in a city that allows tokens; a wrong one is refused."""
    Tenant.update(settings={"target_tokens": True}).where(Tenant.code == CITY).execute()
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    Terminal.update(token_hash=digest).where(Terminal.terminal_id == "T0000001").execute()
    right = client.get(f"/{CITY}/who/T0000001", headers={"Authorization": f"TargetToken {TOKEN}"})
    wrong = client.get(f"/{CITY}/who/T0000001", headers={"Authorization": "TargetToken no"})
    neighbour = client.get(f"/{CITY}/who/T0000002", headers={"Authorization": f"TargetToken {TOKEN}"})
    assert (right.status, wrong.status, neighbour.status) == (200, 404, 404)
    assert right.json()["certificate"] == ""


def test_a_storm_fills_no_trail(database: peewee.Database) -> None:
    """A thousand strangers leave sixty rows in an hour, and the next hour's first row says how many more there were."""
    refusals = Refusals()
    for number in range(ROWS_MAX + 40):
        refusals.record({CITY, "nowhere"}, f"certificate:{number}", "a certificate unknown", "GET /", 1_000)
    refusals.record({CITY}, "certificate:late", "a certificate unknown", "GET /", 1_000 + WINDOW_MS)
    rows = list(AuditRow.select().order_by(AuditRow.seq))
    assert len(rows) == ROWS_MAX + 1 and {row.tenant_id for row in rows} == {CITY}
    assert rows[-1].facts["passed_over"] == 40


def test_serial_numbers_as_nginx_writes_them() -> None:
    """Whole bytes in upper case, as OpenSSL's i2a_ASN1_INTEGER, which nginx uses."""
    assert [serial_hex(number) for number in (0x0A, 0xABC, 0xDEADBEEF)] == ["0A", "0ABC", "DEADBEEF"]
