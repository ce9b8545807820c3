"""Lists and what they are narrowed to, on both databases: questions that only a database answers."""

import pytest

from provisioning.fleet.people import persons
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.desired import SettingsLayer
from tests.fleet.conftest import CITY
from tests.fleet.console import town
from tests.fleet.console.desk import Console, Desk


def standing_at(desk: Desk, word: str) -> list[str]:
    """Terminals that the list shows for this state."""
    page = desk.get(f"/terminals?standing={word}").text
    return [number for number, *_ in town.TERMINALS if f"/terminals/{number}" in page]


def test_terminals_stand_as_they_told_and_when(city: Console) -> None:
    """Each terminal is in exactly one state; one that was not heard is silent, whatever it said before."""
    desk = city.person(CITY, "all", "viewer")
    words = ("trouble", "silent", "attention", "out_of_service", "registered", "serving", "stopped")
    shown = {word: standing_at(desk, word) for word in words}
    assert shown == {
        "trouble": ["T0000003"],
        "silent": ["T0000005"],
        "attention": ["T0000002"],
        "out_of_service": ["T0000006"],
        "registered": ["T0000007"],
        "serving": ["T0000001", "T0000004"],
        "stopped": ["T0000008"],
    }
    city.time.pass_s(3600)
    desk.sign_in("all")
    assert standing_at(desk, "serving") == []


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("slot=card_reader&condition=fault", ["T0000003"]),
        ("slot=receipt_printer&condition=degraded", ["T0000002"]),
        ("find=0004", ["T0000004"]),
        ("version=1.3.9", []),
        ("place={hall}", ["T0000001", "T0000002", "T0000003"]),
    ],
)
def test_the_list_is_narrowed(city: Console, asked: str, found: list[str]) -> None:
    """By a part's condition, by number, by version and by place with all below it."""
    desk = city.person(CITY, "all", "viewer")
    page = desk.get(f"/terminals?{asked.format(hall=town.place('Riverside hall').id)}").text
    assert [number for number, *_ in town.TERMINALS if f"/terminals/{number}" in page] == found


def test_a_hall_sees_its_own(city: Console) -> None:
    """Whoever holds a role for one hall sees its terminals and proposals, and nothing beside it."""
    desk = city.person(CITY, "hall", "operator", place=town.place("Stone Bridge village").id)
    page = desk.get("/terminals").text
    assert "T0000006" in page and "T0000001" not in page
    assert desk.get("/terminals/T0000001").status == 404
    assert desk.get(f"/places/{town.place('Riverside hall').id}").status == 404
    assert desk.get("/proposals/1").status == 404
    assert desk.get("/audit").status == 404
    assert "sun" not in desk.get("/people").text


def test_settings_are_proposed_compared_and_approved(city: Console) -> None:
    """What is typed as TOML is shown to the approver as what changes, and is in force once approved."""
    desk, second = city.person(CITY, "op", "operator"), city.person(CITY, "second", "approver")
    root = persons.root(CITY).id
    typed = 'language = "en"\n[timing]\nquestion_s = 120.0\n'
    answer = desk.send(f"/settings/{root}", "propose", settings=typed, why="visitors")
    path = answer.headers["location"].removeprefix(f"/console/{CITY}").partition("?")[0]
    page = second.get(path).text
    assert (
        "− language = &#34;zh&#34;" in page and "+ language = &#34;en&#34;" in page and "question_s = 150" not in page
    )
    assert "Approve" in page and "Approve</button>" not in desk.get(path).text
    assert second.send(path, "approve").headers["location"].endswith("done=approved")
    assert SettingsLayer.select().order_by(SettingsLayer.version.desc()).get().settings["language"] == "en"
    older = SettingsLayer.select().order_by(SettingsLayer.version).first()
    assert desk.send(f"/settings/{root}", "return", layer=older.id, why="was better").status == 303


def test_the_trail_is_read_narrowed_and_proven(city: Console) -> None:
    """By an auditor; proving it stands on it, and a row that was changed is named."""
    desk = city.person(CITY, "auditor", "auditor")
    page = desk.get("/audit?act_is=place").text
    assert "Added a place" in page and "Signed in" not in page
    assert "follow one another" in desk.send("/audit", "verify").text
    AuditRow.update(why="for no reason").where((AuditRow.tenant == CITY) & (AuditRow.seq == 2)).execute()
    assert "broken at row 2" in desk.send("/audit", "verify").text
    assert "No such row" in desk.get("/audit?since=2001-01-01&until=2001-01-02").text
