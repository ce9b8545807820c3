"""Calls for staff, and the complaint desk."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import peewee
import pytest

from kiosk.hosts.agency.client import AgencyDutyClient
from kiosk.ports import OutcomeUnknown
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.alerts.acts import open_alerts
from provisioning.fleet.alerts.standing import SOURCES, settle
from provisioning.fleet.calls.acts import LATE_MS, take, unanswered, waiting
from provisioning.fleet.ledger.desk import Wanted, look_up, open_cases
from provisioning.fleet.ledger.keep import keep_told
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.calls import StaffCall
from provisioning.fleet.schema.places import Tenant
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.people import make_person
from tests.fleet.terminals import add_terminal
from tests.fleet.test_ledger import AT_MS, LINE, NOW, OFFICER, TERMINAL, Village
from tests.fleet.test_ledger_routes import FleetAsHost
from tests.hosts.memory import DocumentedLink

STRANGER = Actor(OTHER, "person:stranger")


@pytest.fixture
def desk(database: peewee.Database, tmp_path: Path) -> AgencyDutyClient:
    """The product's own client, the published document between, and the fleet."""
    add_terminal(TERMINAL, CITY, "0A")
    for login in ("officer", "second"):
        make_person(CITY, login, "operator")
    host = FleetAsHost(tmp_path, "0A")
    host.name = "agency_duty"
    return AgencyDutyClient(DocumentedLink(host))  # type: ignore[arg-type]  # all that it asks of a sandbox


async def test_a_call_is_one_however_often_it_is_told(desk: AgencyDutyClient) -> None:
    """The terminal hears within how many minutes somebody comes; one row, until somebody takes it."""
    for _ in range(2):
        assert (await desk.call_staff("hall", "paper_left", "123456", "paper_left")).minutes == 5
    (call,) = waiting(OFFICER)
    with pytest.raises(NotFound):
        take(STRANGER, call.id, "", AT_MS)
    take(OFFICER, call.id, "on my way", call.at_ms + 60_000)
    with pytest.raises(Refused):
        take(Actor(CITY, "person:second"), call.id, "", call.at_ms + 70_000)
    assert waiting(OFFICER) == []
    assert AuditRow.get(AuditRow.act == "call_taken").facts["waited_s"] == 60


async def test_only_who_works_there_takes_a_call(desk: AgencyDutyClient) -> None:
    """A viewer looks on; the call still waits for somebody."""
    await desk.call_staff("hall", "paper_left", "123456", "paper_left")
    (call,) = waiting(OFFICER)
    with pytest.raises(Refused, match="not yours"):
        take(make_person(CITY, "look", "viewer"), call.id, "", AT_MS)
    assert waiting(OFFICER) == [call]


async def test_nobody_at_the_desk_is_said(desk: AgencyDutyClient) -> None:
    """Outside its hours the page must not promise anybody."""
    Tenant.update(settings={"desk_hours": [0, 0]}).where(Tenant.code == CITY).execute()
    with pytest.raises(OutcomeUnknown):
        await desk.call_staff("hall", "paper_left", "123456", "paper_left")
    assert StaffCall.select().count() == 0


async def test_a_call_that_nobody_takes_is_an_alert_and_a_figure(desk: AgencyDutyClient) -> None:
    """After ten minutes; taken late it still counts for its hall."""
    await desk.call_staff("hall", "paper_left", "123456", "paper_left")
    (call,) = waiting(OFFICER)
    late = call.at_ms + LATE_MS + 1
    settle(CITY, SOURCES, late)
    assert [one.subject for one in open_alerts(OFFICER)] == [f"{TERMINAL} 123456"]
    assert unanswered(OFFICER, 0, late) == {call.place_id: 1}
    take(OFFICER, call.id, "", late)
    settle(CITY, SOURCES, late)
    assert open_alerts(OFFICER) == []
    assert unanswered(OFFICER, 0, late) == {call.place_id: 1}


@pytest.fixture
def village(database: peewee.Database, tmp_path: Path) -> Iterator[Village]:
    made = Village(tmp_path / "terminal")
    made.live(2)
    keep_told(LINE, TERMINAL, made.told(), AT_MS)
    yield made
    made.journal.close()


def test_a_complaint_is_looked_up_by_its_receipt(village: Village) -> None:
    """What happened and what is still owed, in clear without any name; the look stands on the trail first."""
    (story,) = look_up(OFFICER, Wanted(case_code="123456"), "complaint 77", AT_MS)
    assert [act.act for act in story.acts] == ["note_credited"] * 2
    assert story.owed == {"resident": 2000}
    row = AuditRow.get(AuditRow.act == "complaint_looked_up")
    assert (row.why, row.facts) == ("complaint 77", {"case_code": "123456"})


def test_a_complaint_is_looked_up_by_card_and_time(village: Village) -> None:
    """By the card's hash at this terminal, and by the hour; an hour later there is nothing."""
    card = village.batch().rows[0].card_index
    assert len(look_up(OFFICER, Wanted(card_index=card), "complaint 77", AT_MS)) == 1
    hour = timedelta(hours=1)
    assert len(look_up(OFFICER, Wanted(begins=NOW - hour, ends=NOW + hour), "complaint 77", AT_MS)) == 1
    assert look_up(OFFICER, Wanted(begins=NOW + hour), "complaint 77", AT_MS) == []


@pytest.mark.parametrize(
    ("wanted", "why"), [(Wanted(case_code="123456"), " "), (Wanted(), "x"), (Wanted("T0000001"), "x")]
)
def test_a_look_without_a_reason_or_an_aim_is_refused(village: Village, wanted: Wanted, why: str) -> None:
    """Nobody browses."""
    with pytest.raises(Refused):
        look_up(OFFICER, wanted, why, AT_MS)


def test_another_city_finds_no_story(village: Village) -> None:
    """Neither by code nor among the open cases."""
    assert look_up(STRANGER, Wanted(case_code="123456"), "x", AT_MS) == []
    assert open_cases(STRANGER) == []
    assert [one.case_code for one in open_cases(OFFICER, [TERMINAL])] == ["123456"]
