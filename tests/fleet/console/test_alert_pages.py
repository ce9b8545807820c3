"""The page of what alerts, and of who is told."""

import json
import re

import pytest

from provisioning.fleet.alerts.deliver import message
from provisioning.fleet.people import persons
from provisioning.fleet.schema.alerts import Alert, AlertRule, Route
from provisioning.fleet.schema.audit import AuditRow
from tests.fleet.conftest import CITY
from tests.fleet.console import night, town
from tests.fleet.console.desk import Console

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
SILENT = {"rule": "silent", "bound": "12", "minutes": "5", "severity": "warning", "on": "yes", "why": "a village"}
DUTY = {"name": "duty", "url": "https://gateway.test/?key=secret", "severity": "warning", "minutes": 0}


@pytest.fixture
def dark(city: Console) -> Console:
    night.falls(CITY, city.time.at_ms)
    return city


def test_everybody_reads_what_alerts_and_nobody_else_changes_it(dark: Console) -> None:
    """Each kind in words with its bound, what is usual where it was changed, and who is told; a viewer has no form."""
    viewer = dark.person(CITY, "look", "viewer")
    page = viewer.get("/alerts").text
    assert "at 2 hours or more" in page and "at 500 MB or less" in page and "usual: at 75 °C or more" in page
    assert "when nobody took the call for ten minutes" in page and "值班台" in page
    assert "a-key-of-the-gateway" not in page and "https://gateway.example/sms?…" in page
    assert 'name="bound"' not in page and 'name="url"' not in page
    assert viewer.send("/alerts", "change", **SILENT).status == 409
    route = Route.get(Route.name == "值班台")
    assert viewer.send("/alerts", "end_route", route=route.id, why="x").status == 409


def test_a_bound_is_changed_from_its_row(dark: Console) -> None:
    """In the unit that the page speaks; on the trail with its reason, and shown with the usual one."""
    desk = dark.person(CITY, "admin", "system_admin")
    assert desk.send("/alerts", "change", **SILENT).headers["location"].endswith("?done=saved")
    kept = AlertRule.get(AlertRule.name == "silent").rule
    assert (kept["bound"], kept["for_s"], kept["figure"]) == (43_200.0, 300.0, "silent_s")
    page = desk.get("/alerts").text
    assert "at 12 hours or more" in page and "usual: at 2 hours or more" in page
    assert AuditRow.get((AuditRow.act == "alert_rule") & (AuditRow.subject == "silent")).why == "a village"
    off = {name: word for name, word in SILENT.items() if name != "on"}
    assert desk.send("/alerts", "change", **off).status == 303
    assert not AlertRule.get(AlertRule.name == "silent").enabled


@pytest.mark.parametrize(
    ("slip", "words"),
    [
        ({"bound": "two"}, "plain number"),
        ({"bound": "1e3"}, "plain number"),
        ({"bound": "0"}, "Nobody can mean"),
        ({"minutes": "99999"}, "Nobody can mean"),
        ({"why": " "}, "Say why"),
    ],
)
def test_what_is_refused_stays_as_it_was_typed(dark: Console, slip: dict[str, str], words: str) -> None:
    """The row is open, with what was typed, and its bound is as before."""
    desk = dark.person(CITY, "admin", "system_admin")
    answer = desk.send("/alerts", "change", **{**SILENT, **slip})
    assert answer.status == 409 and words in answer.text
    again = re.search(r'<details open>.*?value="silent".*?</details>', answer.text, re.S)
    assert again and all(f'value="{told}"' in again[0] for name, told in slip.items() if name != "why")
    assert AlertRule.get_or_none(AlertRule.name == "silent") is None


@pytest.mark.parametrize("slip", [{"rule": "no such"}, {"severity": "terrible"}])
def test_a_row_that_the_page_does_not_have_is_not_found(dark: Console, slip: dict[str, str]) -> None:
    """Whoever sends one by hand makes no rule."""
    desk = dark.person(CITY, "admin", "system_admin")
    before = AlertRule.select().count()
    assert desk.send("/alerts", "change", **{**SILENT, **slip}).status == 404
    assert AlertRule.select().count() == before


def test_somebody_more_is_told_and_no_longer(dark: Console) -> None:
    """Made with its hours, shown without its key, ended with a reason."""
    desk = dark.person(CITY, "admin", "system_admin")
    place = persons.root(CITY).id
    made = desk.send("/alerts", "add_route", place=place, from_hour=22, to_hour=6, **DUTY)
    assert made.headers["location"].endswith("?done=made")
    page = desk.get("/alerts").text
    assert "from 22:00 to 6:00" in page and "https://gateway.test/?…" in page and "secret" not in page
    again = desk.send("/alerts", "add_route", place=place, from_hour=8, to_hour=8, **DUTY)
    assert again.status == 409 and "the last is not the first" in again.text and "secret" not in again.text
    route = Route.get(Route.name == "duty")
    assert desk.send("/alerts", "end_route", route=route.id, why="another gateway").status == 303
    assert "from 22:00 to 6:00" not in desk.get("/alerts").text
    assert desk.send("/alerts", "end_route", route=route.id, why="again").status == 404


def test_who_runs_one_hall_adds_there_only(dark: Console) -> None:
    """Neither bounds of the whole city nor its routes are theirs; a route of their own hall is."""
    hall = town.place("Stone Bridge village").id
    desk = dark.person(CITY, "hall", "system_admin", place=hall)
    page = desk.get("/alerts").text
    assert 'name="bound"' not in page and 'value="end_route"' not in page and 'name="url"' in page
    hours = {"from_hour": 0, "to_hour": 24}
    assert desk.send("/alerts", "add_route", place=persons.root(CITY).id, **hours, **DUTY).status == 409
    assert desk.send("/alerts", "add_route", place=hall, **hours, **DUTY).status == 303


def test_a_message_leads_to_a_page_with_its_alert(dark: Console) -> None:
    """Whoever is called at night opens it from the message."""
    alert = Alert.get(Alert.rule == "silent")
    page, _, anchor = json.loads(message(alert))["page"].partition("#")
    desk = dark.person(CITY, "op", "operator")
    assert f'id="{anchor}"' in desk.get(page).text
