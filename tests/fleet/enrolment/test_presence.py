"""A copied disk has the same key; it is found out at the next poll of either, and people decide."""

import pytest

from provisioning.fleet import proposals
from provisioning.fleet.actor import NotFound, Refused
from provisioning.fleet.enrolment import presence
from provisioning.fleet.enrolment.requests import confirm
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.terminals import TerminalEvent
from tests.fleet.client import Answer
from tests.fleet.conftest import CITY
from tests.fleet.enrolment.asking import AT, Bare, Desk
from tests.fleet.enrolment.conftest import APPROVER, INSTALLER, STRANGER

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
FIRST, COPY = "aa" * 16, "bb" * 16


@pytest.fixture
def bare(desk: Desk, hall: int) -> Bare:
    """An enrolled terminal whose agent was started for the fifth time."""
    made = Bare()
    desk.enrol(made)
    confirm(INSTALLER, made.fingerprint, "T0000007", hall, AT)
    desk.enrol(made)
    desk.live_refresh()
    assert poll(desk, made, 5, FIRST).status == 200
    return made


def poll(desk: Desk, bare: Bare, boot: int, run: str) -> Answer:
    told = {"boot": boot, "run": run}
    return desk.client.post(f"/{CITY}/terminal/v1/T0000007/poll", desk.known_as(bare), told=told)


def test_a_restart_is_no_second_place(desk: Desk, bare: Bare) -> None:
    """Started anew it counts on; nobody is alarmed, and the next poll asks no database."""
    assert [poll(desk, bare, boot, run).status for boot, run in ((5, FIRST), (6, COPY), (6, COPY))] == [200] * 3
    assert [*presence.doubted(INSTALLER)] == []


def test_the_copy_is_refused_when_the_first_speaks_again(desk: Desk, bare: Bare) -> None:
    """The copy starts as number six and looks like a restart; then number five speaks: it was never over."""
    assert poll(desk, bare, 6, COPY).status == 200
    assert poll(desk, bare, 5, FIRST).status == 200
    answer = poll(desk, bare, 6, COPY)
    assert (answer.status, answer.json()["code"]) == (409, "in_doubt")
    assert poll(desk, bare, 5, FIRST).status == 200
    assert [row.terminal.terminal_id for row in presence.doubted(INSTALLER)] == ["T0000007"]
    assert [row.what for row in TerminalEvent.select()] == ["two_places"]


def test_a_copy_that_restarts_beside_the_first_is_refused(desk: Desk, bare: Bare) -> None:
    """Both count the same number and drew different ones: the later of them is refused, on record once."""
    for _ in range(3):
        assert poll(desk, bare, 5, COPY).json()["code"] == "in_doubt"
    assert AuditRow.select().where(AuditRow.act == "two_places").count() == 1
    assert poll(desk, bare, 5, FIRST).status == 200


def test_an_agent_that_tells_nothing_any_more_is_refused(desk: Desk, bare: Bare) -> None:
    """Once it told who it is, it goes on telling."""
    assert poll(desk, bare, 0, "").json()["code"] == "in_doubt"


def test_people_believe_the_second_where_an_older_disk_was_put_back(desk: Desk, bare: Bare) -> None:
    """Proposed by who looked, approved by another: then the one that was refused speaks."""
    poll(desk, bare, 3, COPY)
    proposal = presence.propose(INSTALLER, "T0000007", "second", "the disk is from Monday", AT)
    proposals.approve(APPROVER, proposal, AT)
    assert poll(desk, bare, 3, COPY).status == 200
    assert poll(desk, bare, 5, FIRST).json()["code"] == "in_doubt"


def test_a_decision_about_another_doubt_is_refused(desk: Desk, bare: Bare) -> None:
    """Meanwhile a third one spoke: whoever approves would not know of whom."""
    poll(desk, bare, 3, COPY)
    proposal = presence.propose(INSTALLER, "T0000007", "second", "the disk is from Monday", AT)
    poll(desk, bare, 2, "cc" * 16)
    with pytest.raises(Refused, match="not as it was"):
        proposals.approve(APPROVER, proposal, AT)


def test_a_renewal_in_doubt_is_refused(desk: Desk, bare: Bare) -> None:
    """As long as nobody knows which of them is the terminal, neither gets a new certificate."""
    poll(desk, bare, 3, COPY)
    assert desk.renew(bare).json()["code"] == "in_doubt"


def test_another_city_finds_no_doubt(desk: Desk, bare: Bare) -> None:
    """Its people see nothing and decide nothing."""
    poll(desk, bare, 3, COPY)
    assert [*presence.doubted(STRANGER)] == []
    with pytest.raises(NotFound):
        presence.propose(STRANGER, "T0000007", "second", "curious", AT)
