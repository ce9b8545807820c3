"""Commands of the fleet: who sends which, how they are told, and what is kept of their answers."""

from functools import partial
from pathlib import Path
from typing import Any

import peewee
import pytest

from kiosk.basics.signed import canonical, read_signed
from provisioning.fleet import audit, proposals
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.city_key import city_keys, city_signer
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.terminals import Certificate, Terminal
from provisioning.fleet.terminal_commands.acts import Target, note_answers, of_terminal, send, waiting, withdraw
from provisioning.rules.commands import COMMANDS_WAITING_MAX, RULES
from provisioning.rules.poll import CommandAnswer
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.people import hall_in, make_person
from tests.fleet.terminals import add_terminal

AT, HOUR_MS = 1_800_000_000_000, 3_600_000
OPERATOR, APPROVER, VIEWER = (Actor(CITY, f"person:{login}") for login in ("operator", "approver", "viewer"))
ONE = Target("T0000001")


@pytest.fixture
def city(database: peewee.Database) -> Place:
    """A city with two terminals, and one of another city."""
    for role in ("operator", "approver", "viewer"):
        make_person(CITY, role, role)
    add_terminal("T0000001", CITY)
    add_terminal("T0000002", CITY)
    add_terminal("T0000009", OTHER)
    place: Place = Place.get(Place.tenant == CITY)
    return place


def key_of(terminal_id: str) -> int:
    return int(Terminal.get(Terminal.terminal_id == terminal_id).id)


def told(home: Path, terminal_id: str = "T0000001", at_ms: int = AT) -> list[dict[str, Any]]:
    """What the terminal's next poll brings."""
    return waiting([key_of(terminal_id)], at_ms, partial(city_signer, home)).get(key_of(terminal_id), [])


def answered(command: str) -> None:
    told = CommandAnswer(command=command, result="done")
    note_answers(Actor(CITY, "terminal:T0000001"), key_of("T0000001"), [told], AT)


def test_a_command_is_told_until_it_is_answered(city: Place, tmp_path: Path) -> None:
    """Signed by the city, the same document at every poll, and gone with its answer; both stand on the trail."""
    (command,) = send(OPERATOR, ONE, "restart", {}, "it hangs", AT).commands
    (document,) = told(tmp_path)
    assert told(tmp_path) == [document]
    trusted = read_signed(canonical(document), "command", city_keys(tmp_path, CITY))
    assert (trusted.content["command"], trusted.content["act"]) == (command, "restart")
    terminal = Actor(CITY, "terminal:T0000001")
    note_answers(terminal, key_of("T0000001"), [CommandAnswer(command=command, result="done")], AT + 1)
    assert told(tmp_path) == []
    rows = [(row.who, row.act, row.why) for row in AuditRow.select().where(AuditRow.tenant == CITY)]
    assert ("person:operator", "restart", "it hangs") in rows
    assert ("terminal:T0000001", "command_answered", "") in rows
    assert not audit.verify(CITY).broken_at


def test_a_second_answer_changes_nothing(city: Place) -> None:
    """What was answered once stays answered so; another terminal's answer is nobody's."""
    (command,) = send(OPERATOR, ONE, "out_of_service", {}, "flood", AT).commands
    for key, result in ((key_of("T0000002"), "failed"), (key_of("T0000001"), "done"), (key_of("T0000001"), "refused")):
        note_answers(Actor(CITY, "terminal:x"), key, [CommandAnswer(command=command, result=result)], AT)
    (row,) = of_terminal(OPERATOR, "T0000001")
    assert row.state == "done"
    assert not Terminal.get(Terminal.terminal_id == "T0000001").in_service


def test_a_command_that_stood_too_long_is_told_to_nobody(city: Place, tmp_path: Path) -> None:
    """A picture is wanted within the hour or not at all."""
    send(OPERATOR, ONE, "test_page", {"slot": "receipt_printer"}, "does it print", AT)
    assert len(told(tmp_path, at_ms=AT + HOUR_MS - 1)) == 1
    assert told(tmp_path, at_ms=AT + HOUR_MS) == []


def test_what_takes_two_people_waits_for_the_other(city: Place, tmp_path: Path) -> None:
    """A wipe is proposed; approved by somebody else it goes out, and says by which proposal."""
    sent = send(OPERATOR, ONE, "wipe", {}, "it is replaced", AT)
    assert sent.proposal and not sent.commands
    with pytest.raises(Refused):
        proposals.approve(OPERATOR, sent.proposal, AT)
    assert told(tmp_path) == []
    proposals.approve(APPROVER, sent.proposal, AT)
    for terminal in Terminal.select().where(Terminal.tenant == CITY):
        Certificate.create(serial=f"{terminal.id:02X}", terminal=terminal, not_after_ms=AT + HOUR_MS, pem="")
    (row,) = of_terminal(OPERATOR, "T0000001")
    assert (row.act, row.proposal, row.sent_by) == ("wipe", sent.proposal, "person:operator")
    note_answers(
        Actor(CITY, "terminal:T0000001"), row.terminal_id, [CommandAnswer(command=row.command, result="done")], AT
    )
    gone = Terminal.get(Terminal.terminal_id == "T0000001")
    assert gone.state == "retired"
    assert [one.why_revoked for one in Certificate.select().where(Certificate.terminal == gone)] == ["wiped"]
    assert not Certificate.select().where((Certificate.terminal != gone) & ~Certificate.revoked_ms.is_null()).exists()


def test_a_whole_place_is_reached_at_once(city: Place, tmp_path: Path) -> None:
    """Each terminal has its own command; a reboot of all of them takes two people, of one it does not."""
    assert len(send(OPERATOR, Target(place_id=city.id), "logs", {"lines": 10}, "look", AT).commands) == 2
    assert send(OPERATOR, Target(place_id=city.id), "reboot", {}, "all hang", AT).proposal
    assert len(send(OPERATOR, ONE, "reboot", {}, "it hangs", AT).commands) == 1


@pytest.mark.parametrize(
    ("act", "arguments", "why", "code"),
    [
        ("explode", {}, "for a test", "arguments"),
        ("restart", {"now": True}, "for a test", "arguments"),
        ("logs", {"lines": 0}, "for a test", "arguments"),
        ("swap", {"slot": "wallet"}, "for a test", "arguments"),
        ("restart", {}, "  ", "no_reason"),
    ],
)
def test_commands_that_cannot_be_meant_are_refused(
    city: Place, act: str, arguments: dict[str, Any], why: str, code: str
) -> None:
    """Unknown, unfit or without a reason: nothing is sent."""
    with pytest.raises(Refused) as refusal:
        send(OPERATOR, ONE, act, arguments, why, AT)
    assert refusal.value.code == code
    assert of_terminal(OPERATOR, "T0000001") == []


@pytest.mark.parametrize("act", [*RULES])
def test_who_only_looks_is_refused_every_command(city: Place, act: str) -> None:
    """Rights hold for each act, at the place of the terminal."""
    fitting = {"test_page": {"slot": "page_printer"}, "swap": {"slot": "pin_pad"}}
    with pytest.raises(Refused) as refusal:
        send(VIEWER, ONE, act, fitting.get(act, {}), "for a test", AT)
    assert refusal.value.code == "not_yours"


def test_terminals_of_another_city_are_refused(city: Place, tmp_path: Path) -> None:
    """Neither reached nor seen nor called back: they are nobody's."""
    (command,) = send(OPERATOR, ONE, "doctor", {}, "look", AT).commands
    stranger = Actor(OTHER, "person:stranger")
    for act in (
        lambda: send(OPERATOR, Target("T0000009"), "doctor", {}, "look", AT),
        lambda: send(stranger, Target(place_id=city.id), "doctor", {}, "look", AT),
        lambda: withdraw(stranger, command, "no", AT),
    ):
        with pytest.raises(NotFound):
            act()
    assert of_terminal(stranger, "T0000001") == []


def test_a_terminal_that_is_stopped_is_refused_commands(city: Place) -> None:
    """It could not ask for them."""
    Terminal.update(state="stopped").where(Terminal.terminal_id == "T0000001").execute()
    with pytest.raises(Refused, match="stopped"):
        send(OPERATOR, ONE, "doctor", {}, "look", AT)
    assert of_terminal(OPERATOR, "T0000001") == []


def test_a_heap_of_commands_is_refused(city: Place, tmp_path: Path) -> None:
    """A dark terminal collects so many and no more; those whose time is over make room."""
    for _ in range(COMMANDS_WAITING_MAX):
        send(OPERATOR, ONE, "test_page", {"slot": "receipt_printer"}, "again", AT)
    with pytest.raises(Refused) as refusal:
        send(OPERATOR, ONE, "doctor", {}, "look", AT)
    assert refusal.value.code == "too_many"
    send(OPERATOR, ONE, "doctor", {}, "look", AT + HOUR_MS)
    assert len(told(tmp_path, at_ms=AT + HOUR_MS)) == 1


def test_a_command_is_called_back_before_its_answer(city: Place, tmp_path: Path) -> None:
    """Afterwards it is told to nobody; a terminal that had it already still answers for what it did."""
    (command,) = send(OPERATOR, ONE, "restart", {}, "it hangs", AT).commands
    withdraw(OPERATOR, command, "it came back", AT)
    assert told(tmp_path) == []
    with pytest.raises(Refused):
        withdraw(OPERATOR, command, "again", AT)
    note_answers(
        Actor(CITY, "terminal:T0000001"), key_of("T0000001"), [CommandAnswer(command=command, result="done")], AT
    )
    assert of_terminal(OPERATOR, "T0000001")[0].state == "done"


def test_a_terminal_that_was_moved_since_is_refused(city: Place, tmp_path: Path) -> None:
    """Who may wipe at one hall agreed; the terminal stands in another one, where they may not."""
    halls = [hall_in(city) for _ in range(2)]
    one, other = (make_person(CITY, f"hall_{role}", role, place=halls[0].id) for role in ("operator", "approver"))
    Terminal.update(place=halls[0]).where(Terminal.terminal_id == "T0000001").execute()
    proposal = send(one, ONE, "wipe", {}, "broken", AT).proposal
    Terminal.update(place=halls[1]).where(Terminal.terminal_id == "T0000001").execute()
    with pytest.raises(Refused) as refused:
        proposals.approve(other, proposal, AT)
    assert refused.value.code == "moved"
    assert told(tmp_path) == []


def test_a_command_is_noticed_under_a_clock_that_was_set_back(city: Place) -> None:
    """Every process reads the terminal's row anew, also where it was changed in a year that is not yet."""
    Terminal.update(changed_ms=AT + HOUR_MS).where(Terminal.terminal_id == "T0000001").execute()
    send(OPERATOR, ONE, "restart", {}, "it hangs", AT)
    assert Terminal.get(Terminal.terminal_id == "T0000001").changed_ms > AT + HOUR_MS
