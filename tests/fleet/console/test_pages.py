"""What the pages show and do, through the whole application."""

from urllib.parse import quote

import pytest

from provisioning.fleet.actor import Actor, Refused
from provisioning.fleet.ledger import boards
from provisioning.fleet.people import persons
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.commands import Command
from provisioning.fleet.schema.enrolment import EnrolmentRequest, ExpectedTerminal
from provisioning.fleet.schema.ledger import Newcomer
from provisioning.fleet.schema.people import Grant, Person
from provisioning.fleet.schema.proposals import Proposal
from provisioning.fleet.schema.rollouts import Rollout
from provisioning.fleet.schema.terminals import Terminal
from tests.fleet.conftest import CITY
from tests.fleet.console import town
from tests.fleet.console.desk import Console, Desk

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_a_terminals_page_tells_what_it_told(city: Console) -> None:
    """Parts, what is left, money with its age, and nothing that it did not tell."""
    desk = city.person(CITY, "all", "viewer")
    page = desk.get("/terminals/T0000004").text
    assert "Card reader" in page and "¥ 321.50" in page and "oldest 24 h" in page and "120331 rows" in page
    assert "Working keys: Bank" in page and "5 h old, 24 h at most" in page
    assert "Key typed at the pad: bank_master" in page and "check value 8CA64DE9" in page
    assert "Key typed at the pad: social" in page and "in doubt: two custodians" in page
    assert "Disk worn" not in page and "Send a command" not in page
    wanted = desk.get("/terminals/T0000004/settings").text
    assert "question_s = 120.0" in wanted and "terminal_id = &#34;T0000004&#34;" in wanted and "2 wanted" in wanted
    assert "It has not told how it is yet" in desk.get("/terminals/T0000007").text


def test_commands_from_a_page(city: Console) -> None:
    """One person's command is on its way, one that takes two is proposed, one that is not theirs is not offered."""
    desk = city.person(CITY, "op", "operator")
    answer = desk.send("/terminals/T0000001", "command", command="test_page", slot="receipt_printer", why="new roll")
    assert answer.headers["location"].endswith("?done=sent")
    assert Command.get(Command.act == "test_page").arguments == {"slot": "receipt_printer"}
    refused = desk.send("/terminals/T0000001", "command", command="wipe", sure="T0000002", why="old")
    assert refused.status == 409 and "no other one is meant" in refused.text
    answer = desk.send("/terminals/T0000001", "command", command="wipe", sure="T0000001", why="old")
    assert answer.headers["location"].endswith("?done=proposed")
    sent = Command.get(Command.act == "restart").command
    assert desk.send("/terminals/T0000003", "withdraw", which=sent, why="too late").status == 303
    viewer = city.person(CITY, "look", "viewer")
    assert viewer.send("/terminals/T0000001", "command", command="restart", why="x").status == 409


def test_a_command_to_a_whole_place(city: Console) -> None:
    """Every active terminal below it gets its own."""
    desk = city.person(CITY, "op", "operator")
    answer = desk.send(f"/places/{town.place('Riverside hall').id}", "command", command="out_of_service", why="flood")
    assert answer.status == 303
    assert Command.select().where(Command.act == "out_of_service").count() == 3


def test_a_terminal_is_moved_and_stopped(city: Console) -> None:
    """Moved, its settings are composed anew; stopped, its certificates are void and no command is offered."""
    desk = city.person(CITY, "op", "operator")
    before = Terminal.get(Terminal.terminal_id == "T0000001").desired_version
    there = town.place("Stone Bridge village").id
    assert desk.send("/terminals/T0000001", "move", place=there, why="new office").status == 303
    moved = Terminal.get(Terminal.terminal_id == "T0000001")
    assert moved.place_id == there and moved.desired_version != before
    assert desk.send("/terminals/T0000001", "move", place=there, why="again").status == 409
    assert desk.send("/terminals/T0000001", "stop", why="stolen").status == 303
    assert "revoked" in (page := desk.get("/terminals/T0000001").text) and "Send a command" not in page


def test_places_are_made_named_and_removed(city: Console) -> None:
    """By a system administrator, from the page of the place above; nobody else is offered it."""
    desk = city.person(CITY, "admin", "system_admin")
    above = f"/places/{town.place('Stone Bridge township').id}"
    made = desk.send(above, "add", kind="hall", name_zh="新厅", name_en="New hall").headers["location"]
    path = made.removeprefix(f"/console/{CITY}").partition("?")[0]
    assert desk.send(path, "change", name_zh="新大厅", name_en="New hall", metered="yes").status == 303
    assert town.place("New hall").metered and town.place("New hall").name_zh == "新大厅"
    assert desk.send(path, "remove", why="by mistake").status == 303
    refused = desk.send(f"/places/{town.place('Riverside hall').id}", "remove", why="by mistake")
    assert refused.status == 409 and "must go first" in refused.text
    operator = city.person(CITY, "op", "operator")
    assert operator.send(above, "add", kind="hall", name_zh="厅", name_en="").status == 409


@pytest.mark.parametrize(
    ("typed", "words"),
    [("language =", "cannot be read"), ('[slots]\ncard_reader = "x"', ""), ("[timing]\nquestion_s = -1", "")],
)
def test_settings_that_cannot_be_are_refused(city: Console, typed: str, words: str) -> None:
    """No TOML, a terminal's own table, a value that cannot be: said on the page, with what was typed."""
    desk = city.person(CITY, "op", "operator")
    before = Proposal.select().count()
    answer = desk.send(f"/settings/{persons.root(CITY).id}", "propose", settings=typed, why="x")
    assert answer.status == 409 and words in answer.text and typed.partition("\n")[0].split(" ")[0] in answer.text
    assert Proposal.select().count() == before


def test_the_first_settings_of_a_place(city: Console) -> None:
    """A place of which nothing is said yet has a page, and on it somebody says something."""
    desk = city.person(CITY, "op", "operator")
    path = f"/settings/{town.place('Riverside hall').id}"
    assert "Nothing is said here" in desk.get(path).text
    assert desk.send(path, "propose", settings='language = "zh"', why="the first").status == 303


def test_a_file_comes_with_settings(city: Console) -> None:
    """A large one too, by somebody who signed in; then it is named in what is proposed. A stranger's is not read."""
    desk = city.person(CITY, "op", "operator")
    path, large = f"/settings/{persons.root(CITY).id}", b"0123456789" * 300_000
    told = {"settings": 'language = "zh"', "why": "new list", "body_name": "hotlist"}
    answer = desk.upload(path, "propose", "file", large, **told)
    assert answer.status == 303
    assert Proposal.select().order_by(Proposal.id.desc()).get().facts["bodies"][0]["bytes"] == len(large)
    assert Desk(city, CITY).upload(path, "propose", "file", large, **told).status == 413
    assert desk.upload("/enrolment", "preregister", "file", large).status == 413


def test_a_new_terminal_is_confirmed_on_a_phone(city: Console) -> None:
    """The QR on the glass leads there by way of signing in; nothing is confirmed before it was compared."""
    desk = Desk(city, CITY)
    city.person(CITY, "op", "operator")
    code = f"/console/enrolment?serial=YK-2027-00815&fingerprint={town.FINGERPRINT}"
    way = desk.get(code).headers["location"]
    assert way == f"/console/sign-in?to={quote(code, safe='')}"
    desk.client.get("/console/sign-in")
    city.time.pass_s(30)
    signed_in = desk.send(way, "sign_in", login="op", password="quite a long one", code=desk.code())
    assert signed_in.headers["location"] == code
    path = f"/enrolment/{town.FINGERPRINT}"
    assert path in desk.get(code).text and "5a5a 5a5a 5a5a 5a5a 5a5a" in desk.get(path).text
    assert "another serial number" in desk.get(f"{path}?serial=YK-OTHER").text
    told = {"terminal_id": "T0000100", "place": town.place("Riverside hall").id, "profile": "hall"}
    assert "Compare the digits" in desk.send(path, "confirm", **told).text
    bad = desk.send(path, "confirm", **told, same="yes", address="10.1.2.3/24", gateway="192.0.2.1")
    assert bad.status == 409 and "network settings" in bad.text and "T0000100" in bad.text
    answer = desk.send(path, "confirm", **told, same="yes", address="10.1.2.3/24", gateway="10.1.2.1", dns="10.1.2.2")
    assert answer.headers["location"].endswith("done=confirmed")
    request = EnrolmentRequest.get()
    assert request.state == "confirmed" and request.network["static"]["gateway"] == "10.1.2.1"
    assert "gets its certificate" in desk.get(path).text


def test_a_new_terminal_is_refused(city: Console) -> None:
    """For good, with a reason; somebody who may not enrol does not find it."""
    viewer = city.person(CITY, "look", "viewer")
    assert viewer.get(f"/enrolment/{town.FINGERPRINT}").status == 404 and viewer.get("/enrolment").status == 404
    desk = city.person(CITY, "op", "operator")
    assert desk.send(f"/enrolment/{town.FINGERPRINT}", "refuse", why="not ours").status == 303
    assert EnrolmentRequest.get().state == "refused" and "YK-2027-00815" not in desk.get("/enrolment").text


def test_serial_numbers_are_registered_by_a_table(city: Console) -> None:
    """As a spreadsheet writes it, in UTF-8 or GB 18030; a wrong line is named and none of them counts."""
    desk = city.person(CITY, "op", "operator")
    head, good = "serial,terminal_id,place,profile,fingerprint\r\n", "YK-9,T0000200,临江大厅,hall,\r\n"
    for number, (text, encoding) in enumerate(
        ((head + good, "utf-8-sig"), (head + good.replace("9,T", "8,T1"), "gb18030"))
    ):
        answer = desk.upload("/enrolment", "preregister", "file", text.encode(encoding))
        assert answer.status == 303 and ExpectedTerminal.select().count() == 2 + number
    wrong = desk.upload("/enrolment", "preregister", "file", (head + good + "YK-7,T0000201,nowhere,,").encode())
    assert wrong.status == 409 and "Line 3" in wrong.text and ExpectedTerminal.select().count() == 3
    for table in (b"", b"\xff\xfe\x00", b"serial;terminal_id\n1;2"):
        assert desk.upload("/enrolment", "preregister", "file", table).status == 409
    assert desk.send("/enrolment", "withdraw", serial="YK-9", why="sent back").status == 303


def test_whom_to_believe_takes_two(city: Console) -> None:
    """Two places that speak as one terminal: one person looks and proposes, another approves."""
    desk, second = city.person(CITY, "op", "operator"), city.person(CITY, "second", "approver")
    assert "198.51.100.9" in desk.get("/enrolment").text
    desk.send("/enrolment", "believe", terminal="T0000005", believe="first", why="looked on site")
    number = Proposal.select().where(Proposal.kind == "doubt").get().id
    assert second.send(f"/proposals/{number}", "approve").status == 303
    assert "198.51.100.9" not in desk.get("/enrolment").text


def test_another_board_takes_two(city: Console) -> None:
    """Its key stands on the terminal's page for who may take it; one compares and proposes, another approves."""
    desk, second = city.person(CITY, "op", "operator"), city.person(CITY, "second", "approver")
    old, new, line = "0b" * 32, "0c" * 32, Actor(CITY, "terminal:T0000001")
    boards.board_of(line, "T0000001", old, city.time.at_ms)
    with pytest.raises(Refused, match="not registered"):
        boards.board_of(line, "T0000001", new, city.time.at_ms)
    assert desk.send("/terminals/T0000001", "board", board="0d" * 32, why="board dead").status == 409
    assert new in desk.get("/terminals/T0000001").text
    assert new not in city.person(CITY, "look", "viewer").get("/terminals/T0000001").text
    assert desk.send("/terminals/T0000001", "board", board=new, why="board dead").status == 303
    number = Proposal.select().where(Proposal.kind == "board").get().id
    assert desk.send(f"/proposals/{number}", "approve").status == 409 and Newcomer.select().count() == 1
    assert new in second.get(f"/proposals/{number}").text
    assert second.send(f"/proposals/{number}", "approve").status == 303
    kept = boards.board_in_service(CITY, "T0000001")
    assert kept is not None and kept.public_key == new and new not in desk.get("/terminals/T0000001").text
    row = AuditRow.get(AuditRow.act == "board_replaced")
    assert (row.who, row.facts["approver"], row.why) == ("person:op", "person:second", "board dead")


def test_an_update_is_proposed_paused_and_stopped(city: Console) -> None:
    """Its waves and their counts are on its page; whoever may not turn it everywhere is refused."""
    desk, hall = (
        city.person(CITY, "op", "operator"),
        city.person(CITY, "hall", "operator", place=town.place("Riverside hall").id),
    )
    rollout = f"/rollouts/{Rollout.get().id}"
    assert "临江大厅" in desk.get(rollout).text
    assert hall.send(rollout, "pause", why="x").status == 409 and "Pause" not in hall.get(rollout).text
    for act, state in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        assert desk.send(rollout, act, why="for a test").status == 303
        assert Rollout.get().state == state
    told = {"name": "second", "set": Rollout.get().set_id, "why": "for a test", "error_percent_max": "3"}
    told["soak_minutes"] = "45"
    assert desk.send("/rollouts", "propose", **told).status == 409
    answer = desk.send(
        "/rollouts", "propose", **told, wave1=town.place("Riverside hall").id, wave2=persons.root(CITY).id
    )
    facts = Proposal.select().order_by(Proposal.id.desc()).get().facts
    assert answer.status == 303 and len(facts["waves"]) == 2 and facts["gate"]["error_percent_max"] == 3.0
    assert facts["gate"]["soak_s"] == 45 * 60 and not facts["gate"]["over_metered"]
    asked = {**told, "name": "third", "over_metered": "yes", "wave1": town.place("Riverside hall").id}
    assert desk.send("/rollouts", "propose", **asked).status == 303
    assert Proposal.select().order_by(Proposal.id.desc()).get().facts["gate"]["over_metered"] is True
    for slip in ({"error_percent_max": "many"}, {"soak_minutes": "1.5"}, {"soak_minutes": "-1"}):
        assert desk.send("/rollouts", "propose", **{**told, **slip}).status == 409


def test_people_are_proposed_approved_and_invited(city: Console) -> None:
    """From the form of the one to the invitation, of which each of two hands over half."""
    security, second = city.person(CITY, "security", "security_admin"), city.person(CITY, "second", "approver")
    told = {"login": "zhao", "name": "赵", "role": "operator", "place": persons.root(CITY).id, "why": "new"}
    security.send("/people", "add", **told)
    number = Proposal.select().where(Proposal.kind == "person").get().id
    assert "zhao" in second.get("/proposals").text
    assert second.send(f"/proposals/{number}", "approve").status == 303
    invitation = security.get("/people").text.split('name="invitation" value="')[1].partition('"')[0]
    link = security.send("/people", "link", invitation=invitation).text.split("/console/invited/")[1].partition("<")[0]
    told_code = second.send("/people", "code", invitation=invitation).text
    code = told_code.split('class="mono figure">')[1].partition("<")[0]
    fresh = Desk(city, CITY)
    fresh.client.get(f"/console/invited/{link}")
    page = fresh.send(f"/console/invited/{link}", "begin", code=code)
    assert page.status == 200 and "<svg" in page.text and "Your login is zhao" in page.text
    again = fresh.send(f"/console/invited/{link}", "accept", code=code, totp="000000", new="x" * 12, again="y" * 12)
    assert again.status == 409 and "not the same" in again.text and "<svg" in again.text
    assert Person.get(Person.login == "zhao").password_hash == ""


def test_roles_are_taken_away(city: Console) -> None:
    """At once, by a security administrator; another one is refused on the page."""
    security, viewer = city.person(CITY, "security", "security_admin"), city.person(CITY, "look", "viewer")
    grant = Grant.select().join(Person).where(Person.login == "sun").get().id
    assert viewer.send("/people/sun", "take_away", grant=grant, why="x").status == 409
    assert security.send("/people/sun", "take_away", grant=grant, why="left").status == 303
    assert security.send("/people/look", "stop", why="left").status == 303
    assert security.send("/people/liu", "invite", why="lost the phone").status == 303
    told = {"role": "viewer", "place": persons.root(CITY).id, "why": "helps"}
    assert security.send("/people/liu", "grant", **told).status == 303
    assert security.get("/people/nobody").status == 404
    assert viewer.get("/").status == 303 and Grant.get_or_none(Grant.id == grant) is None


def test_every_page_speaks_both_languages(city: Console) -> None:
    """Nothing is left in English for who reads Chinese, on any page of somebody with every role."""
    desk = city.person(CITY, "all", "viewer", "operator", "approver", "auditor", "security_admin", "system_admin")
    root = persons.root(CITY).id
    pages = ("/", "/proposals", "/proposals/1", "/terminals", "/terminals/T0000002", "/places", f"/places/{root}",
             "/enrolment", f"/enrolment/{town.FINGERPRINT}", "/settings", f"/settings/{root}", "/rollouts",
             "/rollouts/1", "/people", "/audit", "/console/me")  # fmt: skip
    for language, word in (("zh", "退出登录"), ("en", "Sign out")):
        desk.client.cookies["language"] = language
        for path in pages:
            answer = desk.get(path)
            assert answer.status == 200 and word in answer.text, path
