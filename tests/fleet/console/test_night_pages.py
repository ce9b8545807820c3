"""Pages of what wants somebody: calls, alerts, complaints, keys, what ends."""

import json

import pytest

from provisioning.fleet.people import persons
from provisioning.fleet.schema.alerts import Alert
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.keys import KeyLoad
from tests.fleet.conftest import CITY
from tests.fleet.console import night, town
from tests.fleet.console.desk import Console

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def dark(city: Console) -> Console:
    night.falls(CITY, city.time.at_ms)
    return city


def test_somebody_takes_a_call_and_an_alert(dark: Console) -> None:
    """Whoever goes is named from then on; a viewer is offered nothing."""
    desk = dark.person(CITY, "op", "operator")
    page = desk.get("/calls").text
    assert "paper was left behind" in page and "A terminal is silent" in page and "I go there" in page
    assert desk.send("/calls", "take_call", call=1).headers["location"].endswith("?done=taken")
    alert = Alert.get(Alert.rule == "silent")
    assert desk.send("/calls", "take_alert", alert=alert.id, note="calling them").status == 303
    assert "calling them" in desk.get("/calls").text
    assert desk.send("/calls", "take_alert", alert=alert.id).status == 409
    viewer = dark.person(CITY, "look", "viewer")
    assert "I have this" not in viewer.get("/calls").text
    assert viewer.send("/calls", "take_alert", alert=alert.id).status == 409


@pytest.mark.parametrize("number", ["9" * 30, "-1", "1.5", "٣", ""])
def test_a_number_that_no_row_has_is_refused(dark: Console, number: str) -> None:
    """Whoever sends one by hand is told that there is no such thing, on either database."""
    desk = dark.person(CITY, "op", "operator")
    assert desk.send("/calls", "take_alert", alert=number).status == 404
    assert desk.send("/calls", "keep_quiet", place=number, hours=4, why="x").status == 404


def test_work_at_a_place_is_quiet_for_hours(dark: Console) -> None:
    """It is shown for how long and why, and ended by hand."""
    desk = dark.person(CITY, "op", "operator")
    assert desk.send("/calls", "keep_quiet", place=1, hours=4, why="").status in (404, 409)
    place = Alert.get(Alert.rule == "silent").place_id
    assert desk.send("/calls", "keep_quiet", place=place, hours=4, why="new floor").status == 303
    assert "new floor" in desk.get("/calls").text
    assert desk.send("/calls", "end_quiet", silence=1).status == 303
    assert "new floor" not in desk.get("/calls").text


def test_quiet_is_refused_beside_ones_place(dark: Console) -> None:
    """An operator of one hall neither silences the city nor takes what happens in another hall."""
    elsewhere = Alert.get(Alert.rule == "silent")
    desk = dark.person(CITY, "hall", "operator", place=town.place("Stone Bridge village").id)
    for place in (persons.root(CITY).id, elsewhere.place_id):
        assert desk.send("/calls", "keep_quiet", place=place, hours=4, why="x").status == 409
    assert desk.send("/calls", "take_alert", alert=elsewhere.id).status == 409
    assert desk.send("/calls", "take_call", call=1).status == 409
    own = town.place("Stone Bridge village").id
    assert desk.send("/calls", "keep_quiet", place=own, hours=4, why="new floor").status == 303


def test_a_complaint_is_looked_up_with_its_reason(dark: Console) -> None:
    """What happened, what is under check, and no name; without a reason nothing is shown."""
    desk = dark.person(CITY, "aud", "auditor")
    assert desk.send("/complaints", "search", code=night.CASE, why="").status == 409
    page = desk.send("/complaints", "search", code="451 207", why="complaint 77")
    assert page.status == 200
    assert "settle_handed_over" in page.text and "Under check" in page.text and "¥ 100.00" in page.text
    assert AuditRow.get(AuditRow.act == "complaint_looked_up").why == "complaint 77"
    assert "nothing like this" in desk.send("/complaints", "search", code="999999", why="complaint 78").text
    assert dark.person(CITY, "op", "operator").get("/complaints").status == 404


def test_money_that_is_not_settled_is_listed(dark: Console) -> None:
    """Without a look-up: a sum and a number, nobody's name."""
    page = dark.person(CITY, "aud", "auditor").get("/complaints").text
    assert "receipt number 451207" in page


def test_an_officer_sends_keys_by_a_file(dark: Console) -> None:
    """The list shows check values and no block; a file that is none is refused; an operator sees no such page."""
    desk = dark.person(CITY, "k1", "key_officer")
    page = desk.get("/keys").text
    assert "8CA64DE9" in page and "ABABAB" not in page
    assert desk.upload("/keys", "propose", "blocks", b"not json").status == 409
    block = {"block_id": "", "terminal_id": "T0000001", "domain": "social", "form": "master", "slot": 6}
    told = json.dumps([{**block, "block": "AB" * 16, "check_value": "AABBCC"}]).encode()
    assert desk.upload("/keys", "propose", "blocks", told, why="new key").status == 303
    assert KeyLoad.select().where(KeyLoad.slot == 6).count() == 0, "not before another officer"
    assert dark.person(CITY, "op", "operator").get("/keys").status == 404
    bank = dark.person(CITY, "b1", "bank_key_officer")
    assert "8CA64DE9" not in bank.get("/keys").text


def test_what_ends_is_listed_soonest_first(dark: Console) -> None:
    """With the next step."""
    desk = dark.person(CITY, "look", "viewer")
    page = desk.get("/expiring").text
    assert "Key block" in page and "Is the terminal on the line?" in page
    night.documents(CITY, dark.home, dark.time.at_ms)
    told = desk.get("/expiring").text
    assert told.index("List of lost and blocked cards") < told.index("Rules for the time without a line")
    assert "Bring the agency" in told and "Nothing ends" not in told
