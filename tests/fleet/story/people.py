"""Everybody of the story, each with a window of their own in one browser."""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import pyotp
from playwright.sync_api import Browser, Page

from simulators.fleet.server import FleetPlan
from tests.fleet.console.browsing import SIZES, serious

ANSWER_MS_MAX = 120_000.0


@dataclass
class People:
    """Each is signed in once."""

    browser: Browser
    sign_in: dict[str, tuple[str, str]]  # login -> password, secret of the second factor
    origin: str
    pages: dict[str, Page] = field(default_factory=dict)
    unfit: dict[str, list[str]] = field(default_factory=dict)  # page -> what axe found serious

    def window(self, login: str, size: str = "desk", path: str = "/console/sign-in") -> Page:
        """``path``: where they come from at first; signing in leads back to it."""
        if login not in self.pages:
            width, height = SIZES[size]
            context = self.browser.new_context(
                ignore_https_errors=True, viewport={"width": width, "height": height}, base_url=self.origin, locale="en"
            )
            context.set_default_timeout(ANSWER_MS_MAX)
            page = self.pages[login] = context.new_page()
            page.goto("/console/language?to=en")
            page.goto(path)
            password, secret = self.sign_in[login]
            page.fill("[name=login]", login)
            page.fill("[name=password]", password)
            page.fill("[name=code]", pyotp.TOTP(secret).now())
            page.click("button[value=sign_in]")
            page.wait_for_load_state()
        return self.pages[login]

    def proposes(self, page: Page, form: str) -> str:
        """Where it waits for the other person."""
        page.click(f"{form} button[value=propose]")
        page.wait_for_url("**/proposals/*")
        return urlsplit(page.url).path

    def approves(self, login: str, path: str) -> None:
        page = self.window(login)
        page.goto(path)
        self.judged(page)
        page.click("button[value=approve]")
        page.wait_for_load_state()

    def judged(self, page: Page) -> None:
        """By axe, folded open; what keeps somebody from using it is told at the end."""
        page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true })")
        if found := serious(page):
            self.unfit[urlsplit(page.url).path] = found


def read(page: Page, where: str = "main") -> str:
    """As somebody reads it, from line to line."""
    return " ".join(page.inner_text(where).split())


def chooses_place(page: Page, field: str, hall: str) -> None:
    """Names of places lower in the tree stand further in."""
    options = page.locator(f"{field} option")
    page.select_option(field, label=next(one for one in options.all_inner_texts() if hall in one))


def told_sign_ins(plan: FleetPlan) -> dict[str, tuple[str, str]]:
    """From the file of a rehearsal: password and secret of each."""
    found = {}
    for line in plan.sign_in.read_text().splitlines():
        login, _, password, _, uri = line.split()
        found[login] = (password, parse_qs(urlsplit(uri).query)["secret"][0])
    return found
