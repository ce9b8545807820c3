"""The console in a real browser: by hand and by keyboard, on a desk, a phone and the narrowest screen."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page

from provisioning.fleet.people import persons
from provisioning.fleet.schema.terminals import Terminal, TerminalHealth
from tests.fleet.conftest import CITY
from tests.fleet.console import town
from tests.fleet.console.browsing import SIZES, chromium, opened, serious, served, sign_in
from tests.fleet.console.desk import Console
from tests.fleet.people import SECRET, make_person, may_sign_in

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]
ROLES = ("viewer", "operator", "approver", "auditor", "security_admin", "system_admin", "key_officer")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def address(city: Console) -> Iterator[str]:
    make_person(CITY, "all", *ROLES)
    may_sign_in("all", city.seal)
    with tempfile.TemporaryDirectory() as folder, served(city, Path(folder)) as told:
        yield told


def entered(browser: Browser, address: str, city: Console, size: str = "desk") -> Page:
    page = opened(browser, address, size)
    sign_in(page, "all", str(pyotp.TOTP(SECRET).at(city.time.at_ms // 1000)))
    return page


def pages() -> list[str]:
    root, hall = persons.root(CITY).id, town.place("Riverside hall").id
    return ["", "proposals", "proposals/3", "terminals", "terminals/T0000002", "terminals/T0000003",
            "terminals/T0000003/settings", "places",
            f"places/{hall}", "enrolment", f"enrolment/{town.FINGERPRINT}", "settings", f"settings/{root}", "rollouts",
            "rollouts/1", "people", "people/sun", "audit", "calls", "complaints", "keys", "alerts",
            "expiring"]  # fmt: skip


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_axe_finds_nothing_serious(browser: Browser, address: str, city: Console, size: str) -> None:
    """On no page, folded open, in the language that is read most; nor before signing in."""
    page = opened(browser, address, size)
    page.goto("/console/sign-in")
    assert serious(page) == []
    page = entered(browser, address, city, size)
    found = {}
    for path in pages():
        page.goto(f"/console/{CITY}/{path}")
        page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true })")
        if told := serious(page):
            found[path] = told
    assert found == {}


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_wider_than_the_screen(browser: Browser, address: str, city: Console, size: str) -> None:
    """No page is moved sideways to be read, down to 320 pixels; what may be pressed is large enough for a finger."""
    page = entered(browser, address, city, size)
    for path in pages():
        page.goto(f"/console/{CITY}/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0], path
        small = page.evaluate(
            "[...document.querySelectorAll('main button, main select, main input:not([type=hidden])')]"
            ".filter((one) => one.offsetParent && one.offsetHeight < 22).map((one) => one.outerHTML)"
        )
        assert small == [], path


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", SIZES)
def test_every_word_has_room(browser: Browser, address: str, city: Console, size: str, language: str) -> None:
    """Nothing stands over the edge of its card, and what is told of something is not squeezed beside its name."""
    page = entered(browser, address, city, size)
    page.goto(f"/console/language?to={language}&back=/console/")
    for path in pages():
        page.goto(f"/console/{CITY}/{path}")
        over = page.evaluate(
            "[...document.querySelectorAll(':is(main .card, main .panel) :not(.unseen)')].filter((one) =>"
            " one.getBoundingClientRect().right > one.closest('.card, .panel').getBoundingClientRect().right + 1)"
            ".map((one) => one.innerText)"
        )
        squeezed = page.evaluate(
            "[...document.querySelectorAll('main dl.facts dd')]"
            ".filter((one) => one.offsetParent && one.offsetWidth < 60).map((one) => one.innerText)"
        )
        assert (over, squeezed) == ([], []), path


def test_a_terminal_is_found_and_commanded_by_keyboard(browser: Browser, address: str, city: Console) -> None:
    """From the first page to a command that waits, without a mouse."""
    page = entered(browser, address, city)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.goto(f"/console/{CITY}/terminals/T0000001")
    page.focus("details:has(input[value=logs]) summary")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("居民说没有声音")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**done=sent")
    assert "终端下次联系时收到" in page.inner_text("[role=status]")


def test_a_page_shows_what_a_terminal_told_meanwhile(browser: Browser, address: str, city: Console) -> None:
    """Without anybody pressing anything; and once the session is over, nothing stays readable."""
    page = entered(browser, address, city)
    page.goto(f"/console/{CITY}/terminals/T0000001")
    assert "服务中" in page.inner_text("#live")
    row = Terminal.get(Terminal.terminal_id == "T0000001")
    TerminalHealth.update(serving=False).where(TerminalHealth.terminal == row).execute()
    page.locator("#live", has_text="不能服务").wait_for()
    city.time.pass_s(3600)
    page.wait_for_url("**/console/sign-in**")
    assert "T0000001" not in page.inner_text("body")


def test_a_new_terminal_is_confirmed_on_a_phone(browser: Browser, address: str, city: Console) -> None:
    """Scanned, signed in, compared, numbered, placed, confirmed."""
    page = opened(browser, address, "phone")
    page.goto(f"/console/enrolment?serial=YK-2027-00815&fingerprint={town.FINGERPRINT}")
    page.fill("[name=login]", "all")
    page.fill("[name=password]", "quite a long one")
    page.fill("[name=code]", str(pyotp.TOTP(SECRET).at(city.time.at_ms // 1000)))
    page.click("button[value=sign_in]")
    page.click("text=示例市 >> visible=true")
    page.wait_for_url("**/enrolment/**")
    page.check("[name=same]")
    page.fill("[name=terminal_id]", "T0000100")
    page.select_option(
        "[name=place]", label=next(o for o in page.locator("[name=place] option").all_inner_texts() if "临江大厅" in o)
    )
    page.click("button[value=confirm]")
    page.wait_for_url("**done=confirmed")
    assert Terminal.get(Terminal.terminal_id == "T0000100").place_id == town.place("Riverside hall").id
