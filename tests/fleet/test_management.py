"""hawkBit's management interface through the whole application."""

import base64
import json
from pathlib import Path
from typing import Any

import peewee
import pytest

from provisioning.fleet.commands.city import take_tokens
from provisioning.fleet.commands.program import add_program, stop_program
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.places import Place, Tenant
from provisioning.fleet.schema.proposals import Proposal
from provisioning.fleet.schema.software import Action, Artifact
from provisioning.fleet.schema.terminals import Terminal
from tests.fleet.client import Answer, Client
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.terminals import PEOPLE, add_terminal, shown
from tests.fleet.test_poll import House

BOUNDARY = "a-boundary"


def basic(user: str, secret: str) -> dict[str, str]:
    return {**PEOPLE, "Authorization": "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()}


# What does not depend on the database is tried on one of them.
ON_ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Office(House):
    """A fleet and a program that may do all."""

    def __init__(self, folder: Path, city: str = CITY, may: str = "assign") -> None:
        super().__init__(folder)
        self.folder = folder
        self.program = Client(self.app, basic(f"{city}/ci", add_program(city, "ci", may, self.at_ms)))

    def get(self, path: str) -> Answer:
        return self.program.get(f"/rest/v1/{path}")

    def post(self, path: str, told: Any) -> Answer:
        return self.program.post(f"/rest/v1/{path}", told=told)

    def upload(self, module: int, content: bytes, filename: str = "bundle.tar", name: str = "file") -> Answer:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        return self.program.post(f"/rest/v1/softwaremodules/{module}/artifacts", kind, body=body)

    def furnish(self, version: str = "1.0") -> tuple[int, int]:
        """A module with a file, in a set."""
        told = [{"name": "kiosk", "version": version, "type": "application", "vendor": "v"}]
        module = self.post("softwaremodules", told).json()[0]["id"]
        self.upload(module, b"bytes of " + version.encode())
        made = [{"name": "kiosk", "version": version, "type": "app", "modules": [{"id": module}]}]
        return module, self.post("distributionsets", made).json()[0]["id"]


@pytest.fixture
def office(database: peewee.Database, tmp_path: Path) -> Office:
    for number in (1, 2, 3):
        add_terminal(f"T000000{number}", CITY, f"0A0{number}")
    add_terminal("T9000001", OTHER, "0B01")
    return Office(tmp_path)


def test_from_module_to_action_status(office: Office) -> None:
    """What a stock tool does: a module, its file, a set, an assignment; the terminal sees it by DDI."""
    module, chosen = office.furnish()
    told = office.get(f"softwaremodules/{module}/artifacts").json()
    assert [(one["providedFilename"], one["size"]) for one in told] == [("bundle.tar", 12)]
    given = office.post("targets/T0000001/assignedDS", {"id": chosen, "type": "forced"}).json()
    assert (given["assigned"], given["alreadyAssigned"], given["total"]) == (1, 0, 1)
    action = given["assignedActions"][0]["id"]
    assert office.get("targets/T0000001").json()["updateStatus"] == "pending"
    device = Client(office.app, shown("0A01"))
    base = f"/{CITY}/controller/v1/T0000001"
    file = device.get(f"{base}/deploymentBase/{action}").json()["deployment"]["chunks"][0]["artifacts"][0]
    assert file["hashes"] == told[0]["hashes"]
    status = {"execution": "closed", "result": {"finished": "success"}, "details": ["all well"]}
    device.post(f"{base}/deploymentBase/{action}/feedback", told={"status": status})
    shown_action = office.get(f"targets/T0000001/actions/{action}").json()
    assert (shown_action["status"], shown_action["detailStatus"]) == ("finished", "finished")
    statuses = office.get(f"targets/T0000001/actions/{action}/status?sort=id:DESC").json()
    assert statuses["content"][0]["type"] == "finished" and statuses["content"][0]["messages"] == ["all well"]
    target = office.get("targets/T0000001").json()
    assert target["updateStatus"] == "in_sync"
    assert office.get("targets/T0000001/installedDS").json()["id"] == chosen
    assert AuditRow.get(AuditRow.act == "assign").who == "program:ci"


@ON_ONE
def test_assigning_again_changes_nothing(office: Office) -> None:
    """hawkBit counts it as already assigned."""
    _, chosen = office.furnish()
    both = [{"id": "T0000001"}, {"id": "T0000002"}]
    assert office.post(f"distributionsets/{chosen}/assignedTargets", both).json()["assigned"] == 2
    again = office.post(f"distributionsets/{chosen}/assignedTargets", both).json()
    assert (again["assigned"], again["alreadyAssigned"]) == (0, 2)
    assert office.get(f"distributionsets/{chosen}/assignedTargets").json()["total"] == 2


@ON_ONE
def test_cancelling_and_forcing(office: Office) -> None:
    """DELETE asks the terminal to leave the action; with force, after that, it ends at once."""
    _, chosen = office.furnish()
    action = office.post("targets/T0000001/assignedDS", {"id": chosen, "type": "soft"}).json()["assignedActions"][0][
        "id"
    ]
    path = f"/rest/v1/targets/T0000001/actions/{action}"
    assert office.program.put(path, told={"forceType": "forced"}).json()["forceType"] == "forced"
    assert office.program.delete(path).status == 204 and Action.get_by_id(action).status == "canceling"
    assert office.program.delete(f"{path}?force=true").status == 204
    assert Action.get_by_id(action).status == "canceled" and not Action.get_by_id(action).active
    assert Terminal.get(Terminal.terminal_id == "T0000001").action == "", "no poll names it any more"
    assert office.program.delete(path).status == 409


def test_lists_are_pages(office: Office) -> None:
    """offset, limit and sort; total counts all."""
    for number in range(5):
        office.post("softwaremodules", [{"name": f"m{number}", "version": "1", "type": "os"}])
    told = office.get("softwaremodules?sort=name:DESC&limit=2&offset=1").json()
    assert [one["name"] for one in told["content"]] == ["m3", "m2"]
    assert (told["total"], told["size"]) == (5, 2)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("name==m1", ["m1"]),
        ("name==M*", ["m1", "m2", "m_3"]),
        ("name!=m1", ["m2", "m_3"]),
        ("name==m_*", ["m_3"]),
        ("name=in=(m1,m2)", ["m1", "m2"]),
        ("name=out=(m1,'m2')", ["m_3"]),
        ("name==m1,name==m2", ["m1", "m2"]),
        ("name==m1 or version==3", ["m1", "m_3"]),
        ("name==m*;version==2", ["m2"]),
        ("(name==m1,name==m2);version!=2", ["m1"]),
        ("name==m* and (version==1 or version==3)", ["m1", "m_3"]),
        ("id=gt=0;createdat>=0", ["m1", "m2", "m_3"]),
        ('version=="3"', ["m_3"]),
    ],
)
def test_rsql(office: Office, words: str, names: list[str]) -> None:
    """``q=`` as hawkBit's, on both databases."""
    for name, version in (("m1", "1"), ("m2", "2"), ("m_3", "3")):
        office.post("softwaremodules", [{"name": name, "version": version, "type": "os"}])
    told = office.program.get(f"/rest/v1/softwaremodules?q={words.replace(' ', '%20')}&sort=id:ASC").json()
    assert [one["name"] for one in told["content"]] == names


@ON_ONE
@pytest.mark.parametrize(
    "words",
    ["name", "name==", "nobody==1", "id==x", "(name==a", "name=in=a", "name==a;", "name~a", "(" * 20, "a" * 3000],
)
def test_refused_rsql(office: Office, words: str) -> None:
    """What is not understood is a plain 400, never an error of ours."""
    answer = office.program.get(f"/rest/v1/softwaremodules?q={words}")
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")


def test_targets_by_what_they_have(office: Office) -> None:
    """By attribute, by set, by place; one city's only."""
    _, chosen = office.furnish("2.0")
    office.post("targets/T0000002/assignedDS", {"id": chosen})
    Client(office.app, shown("0A03")).put(f"/{CITY}/controller/v1/T0000003/configData", told={"data": {"hw": "B1"}})
    place = Place.get(Place.tenant == CITY)
    for words, names in (
        ("assignedds.version==2.0", ["T0000002"]),
        ("attribute.hw==b*", ["T0000003"]),
        (f"place.path=={place.path}*", ["T0000001", "T0000002", "T0000003"]),
        ("controllerId==T9*", []),
    ):
        told = office.get(f"targets?q={words}&sort=controllerId:ASC").json()
        assert [one["controllerId"] for one in told["content"]] == names


@ON_ONE
def test_types_are_hawkbits_own(office: Office) -> None:
    """os and application, and the three kinds of sets, as after hawkBit's first start."""
    assert [one["key"] for one in office.get("softwaremoduletypes").json()["content"]] == ["os", "application"]
    kinds = office.get("distributionsettypes").json()["content"]
    assert [one["key"] for one in kinds] == ["os", "os_app", "app"]
    assert office.get(f"distributionsettypes/{kinds[1]['id']}").json()["name"] == "OS with app(s)"


@ON_ONE
def test_notes_reach_the_device(office: Office) -> None:
    """Metadata of a module stands in the chunk."""
    module, chosen = office.furnish()
    office.post(f"softwaremodules/{module}/metadata", [{"key": "slot", "value": "app"}])
    action = office.post("targets/T0000001/assignedDS", {"id": chosen}).json()["assignedActions"][0]["id"]
    told = Client(office.app, shown("0A01")).get(f"/{CITY}/controller/v1/T0000001/deploymentBase/{action}").json()
    assert told["deployment"]["chunks"][0]["metadata"] == [{"key": "slot", "value": "app"}]


@ON_ONE
def test_refused_changes_of_what_was_given(office: Office) -> None:
    """A set that terminals got, and its modules, change no more."""
    module, chosen = office.furnish()
    office.post("targets/T0000001/assignedDS", {"id": chosen})
    other = office.post("softwaremodules", [{"name": "x", "version": "1", "type": "application"}]).json()[0]["id"]
    assert office.post(f"distributionsets/{chosen}/assignedSM", [{"id": other}]).status == 409
    assert office.upload(module, b"other", "other.tar").status == 409
    file = Artifact.get(Artifact.module == module)
    assert office.program.delete(f"/rest/v1/softwaremodules/{module}/artifacts/{file.id}").status == 409


@ON_ONE
def test_refused_unless_whole(office: Office) -> None:
    """A set that lacks a module is given to nobody, and one that does not fit goes into no set."""
    empty = office.post("distributionsets", [{"name": "e", "version": "1", "type": "os_app"}]).json()[0]
    assert not empty["complete"]
    assert office.post("targets/T0000001/assignedDS", {"id": empty["id"]}).json()["code"] == "not_complete"
    system = office.post("softwaremodules", [{"name": "o", "version": "1", "type": "os"}]).json()[0]["id"]
    wrong = [{"name": "w", "version": "1", "type": "app", "modules": [{"id": system}]}]
    assert office.post("distributionsets", wrong).json()["code"] == "does_not_fit"
    assert office.get("distributionsets?q=name==w").json()["total"] == 0


@ON_ONE
def test_refused_names_twice(office: Office) -> None:
    """Modules and sets are known by name and version; one that was put aside frees them."""
    module, chosen = office.furnish()
    again = [{"name": "kiosk", "version": "1.0", "type": "application"}]
    assert office.post("softwaremodules", again).status == 409
    assert office.upload(module, b"x").status == 409
    assert office.program.delete(f"/rest/v1/distributionsets/{chosen}").status == 204
    assert office.get(f"distributionsets/{chosen}").status == 404
    assert office.post("distributionsets", [{"name": "kiosk", "version": "1.0", "type": "app"}]).status == 201


@ON_ONE
@pytest.mark.parametrize("filename", ["../up", "a/b", "..", "x" * 300])
def test_refused_file_names(office: Office, filename: str) -> None:
    """A name is no path."""
    module = office.post("softwaremodules", [{"name": "m", "version": "1", "type": "os"}]).json()[0]["id"]
    assert office.upload(module, b"x", filename).status in (400, 409)
    assert Artifact.select().count() == 0


@ON_ONE
def test_refused_uploads(office: Office) -> None:
    """No file, another part, no form: 400; and nothing is kept."""
    module = office.post("softwaremodules", [{"name": "m", "version": "1", "type": "os"}]).json()[0]["id"]
    path = f"/rest/v1/softwaremodules/{module}/artifacts"
    assert office.upload(module, b"x", name="other").status == 400
    assert office.program.post(path, {"Content-Type": "multipart/form-data"}, body=b"x").status == 400
    assert office.program.post(path, told={}).status == 400
    assert Artifact.select().count() == 0


@ON_ONE
def test_refused_programs(office: Office, tmp_path: Path) -> None:
    """No secret, a wrong one, a stopped program: 401 and a row; one that may only read: 403."""
    for headers in (
        PEOPLE,
        basic(f"{CITY}/ci", "wrong"),
        basic(f"{OTHER}/ci", "x"),
        {**PEOPLE, "Authorization": "Basic %"},
    ):
        answer = Client(office.app, headers).get("/rest/v1/targets")
        assert answer.status == 401 and answer.headers["www-authenticate"].startswith("Basic")
    assert AuditRow.get(AuditRow.act == "turned_away").who == "program:ci"
    reader = Client(office.app, basic(f"{CITY}/eyes", add_program(CITY, "eyes", "read", office.at_ms)))
    assert reader.get("/rest/v1/targets").status == 200
    assert reader.post("/rest/v1/softwaremodules", told=[]).status == 403
    assert stop_program(CITY, "ci", office.at_ms) and office.get("targets").status == 401


@ON_ONE
def test_refused_for_another_city(office: Office, tmp_path: Path) -> None:
    """Another city's program finds none of this one's things, and changes none."""
    module, chosen = office.furnish()
    foreign = Client(office.app, basic(f"{OTHER}\\ci", add_program(OTHER, "ci", "assign", office.at_ms)))
    for path in (
        f"softwaremodules/{module}",
        f"distributionsets/{chosen}",
        "targets/T0000001",
        f"softwaremodules/{module}/artifacts",
    ):
        assert foreign.get(f"/rest/v1/{path}").status == 404
    assert foreign.post("/rest/v1/targets/T9000001/assignedDS", told={"id": chosen}).status == 404
    assert foreign.get("/rest/v1/softwaremodules").json()["total"] == 0
    assert [one["controllerId"] for one in foreign.get("/rest/v1/targets").json()["content"]] == ["T9000001"]


def test_stock_targets(office: Office) -> None:
    """In a city that takes tokens, a program makes targets for stock clients, which then speak DDI."""
    assert office.post("targets", [{"controllerId": "STOCK1"}]).status == 409
    Tenant.update(settings={"time_zone": "Asia/Urumqi"}).where(Tenant.code == CITY).execute()
    assert take_tokens(CITY, True, office.at_ms) and not take_tokens("nowhere", True, office.at_ms)
    assert Tenant.get_by_id(CITY).settings == {"time_zone": "Asia/Urumqi", "target_tokens": True}
    assert AuditRow.get(AuditRow.act == "city_changed").facts == {"target_tokens": True}
    made = office.post("targets", [{"controllerId": "STOCK1"}]).json()[0]
    stock = Client(office.app, {"X-Face": "terminals", "Authorization": f"TargetToken {made['securityToken']}"})
    assert stock.get(f"/{CITY}/controller/v1/STOCK1").status == 200
    assert office.post("targets", [{"controllerId": "STOCK1"}]).status == 409
    assert Terminal.get(terminal_id="STOCK1").token_hash not in json.dumps(office.get("targets").json())
    take_tokens(CITY, False, office.at_ms)
    assert stock.get(f"/{CITY}/controller/v1/STOCK1").status == 404


@ON_ONE
def test_a_rollout_waits_for_a_person(office: Office) -> None:
    """A program proposes like an operator; nothing moves before somebody approves."""
    _, chosen = office.furnish()
    place = Place.get(Place.tenant == CITY)
    told = {"name": "r1", "distributionSetId": chosen, "description": "the new version"}
    answer = office.post("rollouts", {**told, "groups": [{"name": "all", "targetFilterQuery": f"place=={place.id}"}]})
    assert (answer.status, answer.json()["status"]) == (202, "waiting_for_approval")
    assert Proposal.get().proposed_by == "program:ci" and office.get("rollouts").json()["total"] == 0
    assert Action.select().count() == 0
