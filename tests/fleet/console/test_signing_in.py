"""Signing in at the console, and what guards its pages."""

import pytest

from provisioning.fleet.console import browser
from provisioning.fleet.people import persons, sessions
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.people import Session
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.console.desk import PEOPLE, Console, Desk

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_a_person_signs_in_sees_their_city_and_leaves(console: Console) -> None:
    """From the form to the overview of the one city in which they hold a role, and out again."""
    desk = console.person(CITY, "wang", "viewer")
    assert desk.get("/console/").headers["location"] == f"/console/{CITY}/"
    page = desk.get("/")
    assert page.status == 200 and "Overview" in page.text and 'lang="en"' in page.text
    assert desk.send("/console/me", "sign_out").headers["location"] == "/console/sign-in?done=signed_out"
    assert desk.get("/").headers["location"].startswith("/console/sign-in?to=")
    assert Session.select().count() == 0


def test_chinese_first(console: Console) -> None:
    """Who chose no language reads Chinese; the switch leads back to the same page and to no other site."""
    desk = Desk(console, CITY)
    desk.client.cookies.clear()
    desk.client.get("/console/sign-in")
    assert "登录" in desk.client.get("/console/sign-in").text
    answer = desk.client.get("/console/language?to=en&back=/console/sign-in")
    assert answer.headers["location"] == "/console/sign-in" and desk.client.cookies["language"] == "en"
    for elsewhere in ("https://example.org/console/", "//example.org/console/", "/elsewhere"):
        assert desk.client.get(f"/console/language?to=en&back={elsewhere}").headers["location"] == "/console/"


def test_every_answer_carries_the_guards(console: Console) -> None:
    """No script or frame of others, nothing kept; cookies that no script reads and no other site sends."""
    desk = Desk(console, CITY)
    cookies = desk.client.get("/console/sign-in").headers.getlist("set-cookie")
    assert all("Secure" in one and "HttpOnly" in one and "samesite=strict" in one.lower() for one in cookies)
    assert len(cookies) == 1 and cookies[0].startswith("__Host-")
    answer = console.person(CITY, "wang", "viewer").get("/terminals")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert all(answer.headers[name] == value for name, value in browser.HEADERS.items())
    assert " style=" not in answer.text and "<script>" not in answer.text


def test_sign_in_refused_at_the_form(console: Console) -> None:
    """A wrong password is answered on the form with words, and the login that was typed."""
    desk = console.person(CITY, "wang", "viewer")
    fresh = Desk(console, CITY)
    answer = fresh.sign_in("wang", "not the password")
    assert answer.status == 409 and "is not right" in answer.text and 'value="wang"' in answer.text
    assert "not the password" not in answer.text
    assert desk.get("/").status == 200 and fresh.get("/").status == 303


@pytest.mark.parametrize("forged", ["none", "wrong", "another session's"])
def test_a_form_is_refused_without_its_token(console: Console, forged: str) -> None:
    """Another site's form does nothing, nor does one that was shown to somebody else."""
    desk, other = console.person(CITY, "wang", "system_admin"), console.person(CITY, "li", "system_admin")
    above = f"/places/{persons.root(CITY).id}"
    token = {
        "none": "",
        "wrong": "0" * 40,
        "another session's": other.get("/places").text.split('csrf" value="')[1][:40],
    }
    fields = {"kind": "hall", "name_zh": "厅", "name_en": "", "act": "add", "csrf": token[forged]}
    answer = desk.client.post(desk.path(above), form=fields)
    assert answer.status == 403 and "Nothing was done" in answer.text
    assert not AuditRow.select().where(AuditRow.act == "place_added").exists()


def test_a_page_that_refreshes_itself_keeps_nobody_signed_in(console: Console) -> None:
    """Who went away is signed out, though the open page asked all the time."""
    desk = console.person(CITY, "wang", "viewer")
    for _ in range(sessions.IDLE_MS // 60_000 - 1):
        console.time.pass_s(60)
        assert desk.client.get(desk.path("/"), {"X-Looks-Again": "1"}).status == 200
    console.time.pass_s(60)
    assert desk.client.get(desk.path("/"), {"X-Looks-Again": "1"}).status == 303


def test_a_form_that_is_too_large_is_refused(console: Console) -> None:
    """Two megabytes are the most that is read; more fields than any page has are too many."""
    desk = console.person(CITY, "wang", "viewer")
    assert desk.client.post(desk.path("/people"), form={"name": "x" * 2_000_001}).status == 413
    assert desk.client.post(desk.path("/people"), form={f"f{n}": "" for n in range(300)}).status == 400


def test_pages_are_not_on_the_terminals_face(console: Console) -> None:
    """The port for terminals shows no page, whoever is signed in."""
    desk = console.person(CITY, "wang", "viewer")
    assert desk.client.get(desk.path("/"), {**PEOPLE, "X-Face": "terminals"}).status == 404


def test_a_strangers_city_is_nobodys(console: Console) -> None:
    """Another city's pages are answered like pages of a city that does not exist, and both trails have it."""
    desk = console.person(CITY, "wang", "viewer", "operator")
    theirs, nobodys = desk.get(f"/console/{OTHER}/"), desk.get("/console/no-such-city/")
    assert theirs.status == nobodys.status == 404 and theirs.text == nobodys.text.replace("no-such-city", OTHER)
    rows = AuditRow.select().where(AuditRow.act == "turned_away")
    assert {row.tenant_id for row in rows} == {CITY, OTHER}
