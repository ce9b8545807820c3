"""``/desired``, ``/bodies`` and ``/logs`` of the fleet, as nginx passes a terminal's questions on."""

import json
from pathlib import Path

import peewee
import pytest

from kiosk.basics.signed import read_signed
from provisioning.fleet.actor import Actor
from provisioning.fleet.app import make_app
from provisioning.fleet.city_key import city_keys
from provisioning.fleet.desired.bodies import keep_body
from provisioning.fleet.desired.versions import wanted_anew
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.terminal_commands.acts import Target, of_terminal, send
from provisioning.fleet.web import Fleet
from tests.fleet.client import Client
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.people import make_person
from tests.fleet.terminals import add_terminal, shown

AT = 1_800_000_000_000
MINE, THEIRS = shown("AA01"), shown("AA02")
BASE = f"/{CITY}/terminal/v1/T0000001"
OPERATOR = Actor(CITY, "person:operator")


@pytest.fixture
def fleet(database: peewee.Database, tmp_path: Path) -> Client:
    """The whole application on both databases; a terminal of each city."""
    add_terminal("T0000001", CITY, "AA01")
    add_terminal("T0000002", OTHER, "AA02")
    make_person(CITY, "operator", "operator")
    settings = FleetSettings(home=str(tmp_path / "home"), public=str(tmp_path / "public"))
    return Client(make_app(Fleet(settings, now_ms=lambda: AT)))


def test_a_terminal_gets_its_settings_signed(fleet: Client, tmp_path: Path) -> None:
    """With its own number and place in them; before anything was decided there are none."""
    assert fleet.get(f"{BASE}/desired", MINE).status == 404
    wanted_anew(CITY, "T0000001", AT)
    answer = fleet.get(f"{BASE}/desired", MINE)
    trusted = read_signed(answer.body, "desired_state", city_keys(tmp_path / "home", CITY))
    assert (trusted.version, trusted.content["settings"]["terminal"]["terminal_id"]) == (1, "T0000001")


def test_a_file_comes_in_pieces(fleet: Client, tmp_path: Path) -> None:
    """By ranges, with its digest as its tag."""
    body = keep_body(OPERATOR, tmp_path / "home", [b"0123456789"], AT)
    answer = fleet.get(f"{BASE}/bodies/{body.sha256}", {**MINE, "Range": "bytes=3-6"})
    assert (answer.status, answer.body) == (206, b"3456")
    assert answer.headers["etag"] == f'"{body.sha256}"'
    assert answer.headers["content-range"] == "bytes 3-6/10"


@pytest.mark.parametrize("path", ["/desired", "/bodies/{sha256}", "/logs/{command}"])
def test_another_citys_terminal_is_refused(fleet: Client, tmp_path: Path, path: str) -> None:
    """404 for whoever is not this terminal, and a row on the trail of both cities."""
    wanted_anew(CITY, "T0000001", AT)
    body = keep_body(OPERATOR, tmp_path / "home", [b"x"], AT)
    (command,) = send(OPERATOR, Target("T0000001"), "logs", {}, "look", AT).commands
    asked = BASE + path.format(sha256=body.sha256, command=command)
    method = "POST" if "logs" in path else "GET"
    assert fleet.ask(method, asked, THEIRS, told={} if method == "POST" else None).status == 404
    away = AuditRow.select().where(AuditRow.act == "turned_away")
    assert {row.tenant_id for row in away} == {CITY, OTHER}
    mine = f"/{OTHER}/terminal/v1/T0000002" + path.format(sha256=body.sha256, command=command)
    assert fleet.ask(method, mine, THEIRS, told={} if method == "POST" else None).status == 404


def test_what_a_command_asked_for_is_kept_once(fleet: Client, tmp_path: Path) -> None:
    """In a private file that its row names; sent again it changes nothing."""
    (command,) = send(OPERATOR, Target("T0000001"), "logs", {}, "look", AT).commands
    for lines in (["first"], ["second"]):
        assert fleet.post(f"{BASE}/logs/{command}", MINE, told={"lines": lines}).status == 204
    (row,) = of_terminal(OPERATOR, "T0000001")
    path = tmp_path / "home" / row.sent
    assert json.loads(path.read_text()) == {"lines": ["first"]}
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("act", "body", "status"),
    [("restart", b"{}", 404), ("logs", b"{", 409), ("logs", b"0" * (2 * 1024 * 1024 + 1), 413)],
)
def test_what_nobody_asked_for_is_refused(fleet: Client, act: str, body: bytes, status: int) -> None:
    """For a command that sends nothing, broken, or endless."""
    (command,) = send(OPERATOR, Target("T0000001"), act, {}, "look", AT).commands
    assert fleet.post(f"{BASE}/logs/{command}", MINE, body=body).status == status
    assert of_terminal(OPERATOR, "T0000001")[0].sent == ""
