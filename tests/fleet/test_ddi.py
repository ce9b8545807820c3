"""DDI through the whole application: shapes as hawkBit documents them, and what becomes of actions."""

from pathlib import Path
from typing import Any

import msgspec
import peewee
import pytest

from provisioning.fleet.actor import Actor
from provisioning.fleet.schema.places import Tenant
from provisioning.fleet.schema.rollouts import Rollout
from provisioning.fleet.schema.software import Action, ActionStatus, TerminalAttribute, TerminalSoftware
from provisioning.fleet.schema.terminals import Terminal, TerminalEvent, TerminalHealth
from provisioning.fleet.software import assign, catalogue, store
from provisioning.rules.rollouts import Gate
from provisioning.terminal.updates.ddi import read_deployment
from tests.fleet.client import Answer, Client
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.terminals import TOKEN, add_terminal, allow_token, shown
from tests.fleet.test_poll import House

WHO = Actor(CITY, "person:a")
BYTES = b"an application bundle"

# What does not depend on the database is tried on one of them.
ON_ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Shop(House):
    """A fleet with one module, in one set, and a terminal."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.device = Client(self.app, shown("0A01"))
        module = catalogue.make_module(WHO, "application", "kiosk", "1.5.0", self.at_ms, vendor="v")
        self.kept = store.keep(folder / "artifacts", [BYTES])
        catalogue.add_artifact(WHO, module.id, "kiosk-1.5.0.tar.zst", self.kept, self.at_ms)
        self.module, self.set = module, catalogue.make_set(WHO, "app", "kiosk", "1.5.0", [module.id], self.at_ms)
        self.key = Terminal.get(terminal_id="T0000001").id

    def assign(self, **more: Any) -> int:
        return assign.assign(WHO, [self.key], self.set.id, self.at_ms, **more)[self.key]

    def get(self, path: str = "", headers: dict[str, str] | None = None) -> Answer:
        return self.device.get(f"/{CITY}/controller/v1/T0000001{path}", headers)

    def tell(self, path: str, execution: str, finished: str = "none", **more: Any) -> Answer:
        status = {"execution": execution, "result": {"finished": finished}, **more}
        return self.device.post(f"/{CITY}/controller/v1/T0000001{path}/feedback", told={"status": status})


@pytest.fixture
def shop(database: peewee.Database, tmp_path: Path) -> Shop:
    add_terminal("T0000001", CITY, "0A01")
    add_terminal("T9000001", OTHER, "0B01")
    return Shop(tmp_path)


@ON_ONE
def test_root_without_anything_due(shop: Shop) -> None:
    """How long to sleep, and a wish to know the terminal; nothing else."""
    answer = shop.get()
    assert answer.headers["content-type"].startswith("application/hal+json")
    assert answer.json() == {
        "config": {"polling": {"sleep": "00:05:00"}},
        "_links": {"configData": {"href": f"https://127.0.0.1:8444/{CITY}/controller/v1/T0000001/configData"}},
    }


def test_a_deployment_from_link_to_end(shop: Shop) -> None:
    """The link leads to what is to be done; its feedback moves the action, and its end shows everywhere."""
    action = shop.assign()
    shop.live.refresh(shop.at_ms)
    assert shop.poll().json()["action"] == str(action)
    href = shop.get().json()["_links"]["deploymentBase"]["href"]
    assert href.startswith(f"https://127.0.0.1:8444/{CITY}/controller/v1/T0000001/deploymentBase/{action}?c=")
    told = shop.device.get(href.removeprefix("https://127.0.0.1:8444")).json()
    base = f"https://127.0.0.1:8444/{CITY}/controller/v1/T0000001/softwaremodules/{shop.module.id}/artifacts"
    assert told == {
        "id": str(action),
        "deployment": {
            "download": "forced",
            "update": "forced",
            "chunks": [
                {
                    "part": "bApp",
                    "version": "1.5.0",
                    "name": "kiosk",
                    "artifacts": [
                        {
                            "filename": "kiosk-1.5.0.tar.zst",
                            "hashes": {"sha1": shop.kept.sha1, "md5": shop.kept.md5, "sha256": shop.kept.sha256},
                            "size": len(BYTES),
                            "_links": {
                                "download": {"href": f"{base}/kiosk-1.5.0.tar.zst"},
                                "md5sum": {"href": f"{base}/kiosk-1.5.0.tar.zst.MD5SUM"},
                            },
                        }
                    ],
                }
            ],
        },
    }
    assert Action.get_by_id(action).status == "retrieved"
    assert shop.tell(f"/deploymentBase/{action}", "proceeding", details=["going on"]).status == 200
    assert Action.get_by_id(action).status == "running"
    assert shop.tell(f"/deploymentBase/{action}", "closed", "success", code=0).status == 200
    row = Action.get_by_id(action)
    assert (row.status, row.active) == ("finished", False)
    assert TerminalSoftware.get_by_id(shop.key).installed_id == shop.set.id
    assert TerminalEvent.get(TerminalEvent.what == "update").facts["status"] == "finished"
    shop.live.refresh(shop.at_ms)
    assert "action" not in shop.poll().json()
    links = shop.get().json()["_links"]
    assert "deploymentBase" not in links and f"/installedBase/{action}?c=" in links["installedBase"]["href"]
    assert shop.get(f"/installedBase/{action}").json()["deployment"] == told["deployment"]


@ON_ONE
@pytest.mark.parametrize(
    ("execution", "finished", "status", "active"),
    [
        ("closed", "success", "finished", False),
        ("closed", "none", "finished", False),
        ("closed", "failure", "error", False),
        ("canceled", "none", "canceled", False),
        ("rejected", "none", "warning", True),
        ("download", "none", "download", True),
        ("downloaded", "none", "downloaded", True),
        ("scheduled", "none", "running", True),
        ("resumed", "none", "running", True),
    ],
)
def test_what_feedback_means(shop: Shop, execution: str, finished: str, status: str, active: bool) -> None:
    """As hawkBit's documentation of the DDI feedback channel."""
    action = shop.assign()
    assert shop.tell(f"/deploymentBase/{action}", execution, finished).status == 200
    row = Action.get_by_id(action)
    assert (row.status, row.active) == (status, active)


@ON_ONE
def test_only_downloaded(shop: Shop) -> None:
    """A downloadonly action is at its end once the file is there, and installs nothing."""
    action = shop.assign(force="downloadonly")
    told = shop.get(f"/deploymentBase/{action}").json()["deployment"]
    assert (told["download"], told["update"]) == ("forced", "skip")
    shop.tell(f"/deploymentBase/{action}", "downloaded")
    assert not Action.get_by_id(action).active


@ON_ONE
def test_soft_is_attempted(shop: Shop) -> None:
    """hawkBit's soft is DDI's attempt."""
    told = shop.get(f"/deploymentBase/{shop.assign(force='soft')}").json()["deployment"]
    assert (told["download"], told["update"]) == ("attempt", "attempt")


@ON_ONE
def test_history_on_demand(shop: Shop) -> None:
    """``actionHistory=-1`` tells every message, a number the newest."""
    action = shop.assign()
    for words in ("one", "two"):
        shop.tell(f"/deploymentBase/{action}", "proceeding", details=[words])
    told = shop.get(f"/deploymentBase/{action}?actionHistory=1").json()["actionHistory"]
    assert told == {"status": "RUNNING", "messages": ["two"]}
    assert shop.get(f"/deploymentBase/{action}?actionHistory=-1").json()["actionHistory"]["messages"][:2] == [
        "two",
        "one",
    ]
    assert "actionHistory" not in shop.get(f"/deploymentBase/{action}").json()


def test_cancelling(shop: Shop) -> None:
    """A cancelled action shows as cancelAction; the terminal's consent ends it."""
    action = shop.assign()
    assign.cancel(WHO, [action], shop.at_ms)
    links = shop.get().json()["_links"]
    assert links["cancelAction"]["href"].endswith(f"/cancelAction/{action}") and "deploymentBase" not in links
    assert shop.get(f"/cancelAction/{action}").json() == {"id": str(action), "cancelAction": {"stopId": str(action)}}
    assert shop.get(f"/deploymentBase/{action}").status == 404
    assert shop.tell(f"/cancelAction/{action}", "proceeding").status == 200 and Action.get_by_id(action).active
    assert shop.tell(f"/cancelAction/{action}", "closed", "success").status == 200
    assert Action.get_by_id(action).status == "canceled"
    assert "cancelAction" not in shop.get().json()["_links"]


@ON_ONE
def test_a_cancel_that_is_rejected(shop: Shop) -> None:
    """The terminal could not stop any more: the action goes on."""
    action = shop.assign()
    assign.cancel(WHO, [action], shop.at_ms)
    shop.tell(f"/cancelAction/{action}", "rejected")
    assert Action.get_by_id(action).status == "running"
    assert "deploymentBase" in shop.get().json()["_links"]


@ON_ONE
def test_a_newer_set_overrides(shop: Shop) -> None:
    """The older action is left first, then the newer one is due."""
    first = shop.assign()
    newer = catalogue.make_set(WHO, "app", "kiosk", "1.6.0", [shop.module.id], shop.at_ms)
    second = assign.assign(WHO, [shop.key], newer.id, shop.at_ms)[shop.key]
    assert f"/cancelAction/{first}" in shop.get().json()["_links"]["cancelAction"]["href"]
    shop.tell(f"/cancelAction/{first}", "closed", "success")
    assert f"/deploymentBase/{second}" in shop.get().json()["_links"]["deploymentBase"]["href"]
    assert Terminal.get_by_id(shop.key).action == str(second)


@ON_ONE
def test_files(shop: Shop) -> None:
    """The fleet says which file; nginx sends it. MD5SUM is in the words of md5sum(1)."""
    shop.assign()
    path = f"/softwaremodules/{shop.module.id}/artifacts"
    assert [one["filename"] for one in shop.get(path).json()] == ["kiosk-1.5.0.tar.zst"]
    answer = shop.get(f"{path}/kiosk-1.5.0.tar.zst")
    assert answer.headers["x-accel-redirect"] == f"/_artifacts/{store.path_in(shop.kept.sha256)}"
    assert answer.headers["x-artifact"] == shop.kept.sha256
    assert shop.get(f"{path}/kiosk-1.5.0.tar.zst.MD5SUM").text == f"{shop.kept.md5}  kiosk-1.5.0.tar.zst"


@ON_ONE
def test_refused_files_of_nobodys_update(shop: Shop) -> None:
    """A terminal reads only files that it was given."""
    path = f"/softwaremodules/{shop.module.id}/artifacts"
    assert shop.get(f"{path}/kiosk-1.5.0.tar.zst").status == 404
    shop.assign()
    assert shop.get(f"{path}/other").status == 404


def test_attributes(shop: Shop) -> None:
    """merge adds, replace starts anew, remove takes away; afterwards nobody asks for them any more."""
    path = f"/{CITY}/controller/v1/T0000001/configData"
    shop.device.put(path, told={"data": {"hw": "1", "os": "12"}})
    shop.device.put(path, told={"mode": "merge", "data": {"hw": "2"}})
    assert {row.key: row.value for row in TerminalAttribute.select()} == {"hw": "2", "os": "12"}
    assert "configData" not in shop.get().json()["_links"]
    shop.device.put(path, told={"mode": "remove", "data": {"os": ""}})
    assert {row.key for row in TerminalAttribute.select()} == {"hw"}
    shop.device.put(path, told={"mode": "replace", "data": {"x": "y"}})
    assert {row.key for row in TerminalAttribute.select()} == {"x"}


@ON_ONE
def test_refused_feedback(shop: Shop) -> None:
    """Of an action that has ended (410, as hawkBit), of another's, of none, and in no known words."""
    action = shop.assign()
    shop.tell(f"/deploymentBase/{action}", "closed", "success")
    assert shop.tell(f"/deploymentBase/{action}", "proceeding").status == 410
    assert shop.tell("/deploymentBase/999", "proceeding").status == 404
    assert shop.tell(f"/cancelAction/{action}", "closed").status == 410
    second = shop.assign()
    assert shop.tell(f"/cancelAction/{second}", "closed").status == 409
    assert shop.tell(f"/deploymentBase/{second}", "exploded").status == 400
    assert shop.tell(f"/deploymentBase/{'9' * 40}", "proceeding").status == 404
    assert shop.tell(f"/deploymentBase/{second}", "proceeding", details=["a\0b"]).status in (200, 400)
    assert Action.get_by_id(second).status == "running"


@ON_ONE
def test_refused_for_another_city(shop: Shop) -> None:
    """A terminal of another city finds nothing under this one's paths."""
    action = shop.assign()
    for path in ("", f"/deploymentBase/{action}", f"/softwaremodules/{shop.module.id}/artifacts"):
        assert shop.device.get(f"/{CITY}/controller/v1/T0000001{path}", shown("0B01")).status == 404
    assert shop.device.get(f"/{OTHER}/controller/v1/T9000001/deploymentBase/{action}", shown("0B01")).status == 404


def test_a_stick_was_faster(shop: Shop) -> None:
    """A set that a terminal got without us is an action that has ended well; an unknown one is refused."""
    path = f"/{CITY}/controller/v1/T0000001/installedBase"
    assert shop.device.put(path, told={"name": "kiosk", "version": "1.5.0"}).status == 200
    assert shop.device.put(path, told={"name": "kiosk", "version": "9"}).status == 404
    row = TerminalSoftware.get_by_id(shop.key)
    assert (row.installed_id, row.assigned_id) == (shop.set.id, shop.set.id)
    assert Action.get().status == "finished"


def test_consent(shop: Shop) -> None:
    """An unconfirmed action shows as confirmationBase, and as a deployment once somebody agreed."""
    action = shop.assign()
    Action.update(confirmed=False, status="wait_for_confirmation").where(Action.id == action).execute()
    assert f"/confirmationBase/{action}" in shop.get().json()["_links"]["confirmationBase"]["href"]
    assert shop.get(f"/deploymentBase/{action}").status == 404
    assert shop.get(f"/confirmationBase/{action}").json()["confirmation"]["update"] == "forced"
    path = f"/{CITY}/controller/v1/T0000001/confirmationBase/{action}/feedback"
    assert shop.device.post(path, told={"confirmation": "denied"}).status == 200
    assert not Action.get_by_id(action).confirmed
    assert shop.device.post(path, told={"confirmation": "confirmed"}).status == 200
    assert "deploymentBase" in shop.get().json()["_links"]
    assert shop.device.post(path, told={"confirmation": "confirmed"}).status == 409


@ON_ONE
def test_automatic_consent(shop: Shop) -> None:
    """It is shown, set and taken back."""
    base = f"/{CITY}/controller/v1/T0000001/confirmationBase"
    for word, active in (("activateAutoConfirm", True), ("deactivateAutoConfirm", False)):
        assert word in shop.device.get(base).json()["autoConfirm"]["_links"]
        assert shop.device.post(f"{base}/{word}", told={}).status == 200
        assert shop.device.get(base).json()["autoConfirm"]["active"] is active


@ON_ONE
def test_nothing_changed(shop: Shop) -> None:
    """An ETag saves the body."""
    first = shop.get()
    again = shop.get(headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


def test_a_stock_client_with_a_token(shop: Shop) -> None:
    """Where the city allows it, hawkBit's TargetToken opens DDI, and asking shows that the terminal is there."""
    allow_token("T0000001", CITY)
    stock = Client(
        shop.app, {"X-Face": "terminals", "X-Client-Verify": "NONE", "Authorization": f"TargetToken {TOKEN}"}
    )
    assert stock.get(f"/{CITY}/controller/v1/T0000001").status == 200
    assert TerminalHealth.get_by_id(shop.key).seen_ms == shop.at_ms
    Tenant.update(settings={}).where(Tenant.code == CITY).execute()
    assert stock.get(f"/{CITY}/controller/v1/T0000001").status == 404


@ON_ONE
def test_a_client_that_tells_no_time(shop: Shop) -> None:
    """SWUpdate's feedback has no ``timestamp`` that hawkBit knows: then it is told now, and not in 1970."""
    action = shop.assign()
    status = {"execution": "proceeding", "result": {"finished": "none"}}
    old = {"id": action, "time": "20261123T023844", "status": status}
    path = f"/{CITY}/controller/v1/T0000001/deploymentBase/{action}/feedback"
    assert shop.device.post(path, told=old).status == 200
    assert shop.device.post(path, told={**old, "timestamp": 5}).status == 200
    told = [row.told_ms for row in ActionStatus.select().order_by(ActionStatus.id.desc()).limit(2)]
    assert told == [5, shop.at_ms]


@ON_ONE
def test_an_action_is_not_told_of_for_ever(shop: Shop) -> None:
    """hawkBit's quota: a thousand words on one action."""
    action = shop.assign()
    row = {"action": action, "at_ms": 0, "told_ms": 0, "status": "running"}
    ActionStatus.insert_many([row] * 1000).execute()
    assert shop.tell(f"/deploymentBase/{action}", "proceeding").status == 409


@ON_ONE
@pytest.mark.parametrize(("said", "over_metered"), [(None, False), (False, False), (True, True)])
def test_a_rollout_says_whether_images_come_over_metered_lines(
    shop: Shop, said: bool | None, over_metered: bool
) -> None:
    """What two people approved with it stands in what its terminals are told, as a note of hawkBit's kind that the
    product's own client reads; of an action of no rollout (None) nothing is said."""
    more: dict[str, Any] = {}
    if said is not None:
        gate = msgspec.to_builtins(Gate(over_metered=said))
        more["rollout"] = Rollout.create(
            tenant=CITY, name="r", set=shop.set, gate=gate, created_by="x", created_ms=0
        ).id
    told = shop.get(f"/deploymentBase/{shop.assign(**more)}").json()
    assert read_deployment(told).deployment.over_metered is over_metered
