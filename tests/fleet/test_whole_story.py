"""A terminal's first day in a real browser: confirmed on a phone, set, given a key, closed and opened again, and all of
it proved from the trail. Real terminal, real agent, real fleet behind nginx."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
import trio
from playwright.sync_api import Browser, Page

from kiosk.control import ControlSilent, agent_path, ask_control, kiosk_path
from provisioning.rules.enrolment import short_fingerprint
from simulators.devices import kmy_crypto
from simulators.processes import Children
from simulators.run import WORLD
from simulators.stack import Plan, Stack
from simulators.worlds.world import load_world
from tests.fleet.console.browsing import SIZES, chromium

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
TERMINAL, CITY = "T0000001", "demo-city"
SOCIAL_KEY = bytes.fromhex("1334B09A2C5D6E7F8091A2B3C4D5E6F7")  # TEST, of nobody
SLOT = 3
WAIT_S = 180.0


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="yks"))  # names of sockets are short
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@dataclass
class People:
    """Everybody with a window of their own, signed in once."""

    browser: Browser
    sign_in: dict[str, tuple[str, str]]  # login -> password, secret of the second factor
    origin: str
    pages: dict[str, Page] = field(default_factory=dict)

    def window(self, login: str, size: str = "desk", path: str = "/console/sign-in") -> Page:
        if login not in self.pages:
            width, height = SIZES[size]
            context = self.browser.new_context(
                ignore_https_errors=True, viewport={"width": width, "height": height}, base_url=self.origin, locale="en"
            )
            context.set_default_timeout(30_000)
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

    def approves(self, login: str, path: str) -> None:
        page = self.window(login)
        page.goto(path)
        page.click("button[value=approve]")
        page.wait_for_load_state()

    def proposes(self, page: Page, form: str) -> str:
        """Where it waits for the other person."""
        page.click(f"{form} button[value=propose]")
        page.wait_for_url("**/proposals/*")
        return urlsplit(page.url).path


def told_sign_ins(plan_file: Path, added: str) -> dict[str, tuple[str, str]]:
    """From the file of a rehearsal, and from what ``person add`` printed."""
    found = {}
    for line in plan_file.read_text().splitlines():
        login, _, password, _, uri = line.split()
        found[login] = (password, parse_qs(urlsplit(uri).query)["secret"][0])
    password, uri = (line.split(": ")[1] for line in added.strip().splitlines())
    return found | {"auditor": (password, parse_qs(urlsplit(uri).query)["secret"][0])}


def fleet(stack: Stack, *words: str) -> str:
    command = [sys.executable, "-m", "provisioning.fleet", "--settings", str(stack.fleet.settings), *words]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "CUSTODIANS_WORDS": ""}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def asked(path: Path, word: str) -> Any:
    """By the thread of the browser; {} while nobody answers."""

    async def ask() -> Any:
        try:
            return await ask_control(path, word)
        except ControlSilent:
            return {}

    return trio.from_thread.run(ask)


class Day:
    """One terminal and those who run it, from the thread that the browser belongs to."""

    def __init__(self, stack: Stack, people: People) -> None:
        self.stack, self.people = stack, people
        self.agent, self.kiosk = agent_path(str(stack.kiosk_dir)), kiosk_path(str(stack.kiosk_dir))
        self.own_page = f"/console/{CITY}/terminals/{TERMINAL}"

    def until(self, holds: Callable[[], object], why: str) -> None:
        """The agent is told to ask its fleet at each look."""
        ends_s = time.monotonic() + WAIT_S
        while not holds():
            assert time.monotonic() < ends_s, why
            asked(self.agent, "poll")
            trio.from_thread.run(trio.sleep, 0.5)

    def shows(self, login: str, path: str, words: str) -> None:
        page = self.people.window(login)

        def looks() -> bool:
            page.goto(path)
            return words in page.inner_text("main")

        self.until(looks, f"{path} never said: {words}")

    def confirmed(self) -> None:
        """An installer reads the code on the glass with a phone and compares every digit."""
        told = asked(self.agent, "standing")
        page = self.people.window("operator", "phone", urlsplit(told["qr"]).path + "?" + urlsplit(told["qr"]).query)
        page.click(f"a[href*='/console/{CITY}/enrolment/']")
        assert short_fingerprint(told["fingerprint"]) in page.inner_text("main")
        page.check("[name=same]")
        page.fill("[name=terminal_id]", TERMINAL)
        page.click("button[value=confirm]")
        page.wait_for_url("**/enrolment?done=confirmed")
        self.until(lambda: asked(self.agent, "fleet").get("settings"), "it never had its first settings")

    def set(self) -> None:
        """One proposes settings of the city, another approves; the terminal takes them between two residents."""
        page = self.people.window("operator")
        page.goto(f"/console/{CITY}/settings")
        page.click(f"main a[href*='/console/{CITY}/settings/']")
        page.wait_for_url("**/settings/*")
        page.click("details:has([name=settings]) > summary")
        page.fill("[name=settings]", 'language = "en"')
        page.fill("form:has([name=settings]) [name=why]", "a test of the first day")
        self.people.approves("approver", self.people.proposes(page, "form:has([name=settings])"))
        self.shows("operator", self.own_page, "2 in force, 2 wanted")

    def given_a_key(self) -> None:
        """Two officers send a block that nobody else reads; what the pad says of it is what they expect."""
        master = bytes.fromhex(self.stack.world.keys.pad_master)
        wrapped, value = kmy_crypto.encrypt_ecb(master, SOCIAL_KEY), kmy_crypto.check_value(SOCIAL_KEY)
        block = {"block_id": "", "terminal_id": TERMINAL, "domain": "social", "form": "master", "slot": SLOT}
        block |= {"block": wrapped.hex().upper(), "check_value": value.hex().upper()}
        page = self.people.window("officer-1")
        page.goto(f"/console/{CITY}/keys")
        page.click("details:has([name=blocks]) > summary")
        content = json.dumps([block]).encode()
        page.set_input_files("[name=blocks]", {"name": "b.json", "mimeType": "application/json", "buffer": content})
        page.fill("form:has([name=blocks]) [name=why]", "first key")
        self.people.approves("officer-2", self.people.proposes(page, "form:has([name=blocks])"))
        self.shows("officer-1", f"/console/{CITY}/keys", "Loaded, the check value agrees")

    def told(self, command: str, holds: Callable[[], object]) -> None:
        page = self.people.window("operator")
        page.goto(self.own_page)
        form = f"details:has(input[name=command][value={command}])"
        page.click(f"{form} > summary")
        page.fill(f"{form} [name=why]", "a test of the first day")
        page.click(f"{form} button[value=command]")
        page.wait_for_url("**?done=sent")
        self.until(holds, f"{command} was never done")

    def proved(self) -> None:
        """All of it stands on the trail, in order, and an auditor proves that nothing was taken out."""
        page = self.people.window("auditor")
        page.goto(f"/console/{CITY}/audit")
        trail = page.inner_text("main")
        acts = ("Confirmed a terminal", "Proposed", "Approved", "Pad answered a key", "Command answered")
        assert [act for act in acts if act not in trail] == []
        page.click("button[value=verify]")
        page.wait_for_load_state()
        assert "rows follow one another" in page.inner_text("body")

    def lived(self) -> None:
        self.confirmed()
        self.set()
        self.given_a_key()
        self.told("out_of_service", lambda: asked(self.kiosk, "health").get("shut") == "out_of_service")
        self.shows("operator", self.own_page, "Out of service")
        self.told("back_in_service", lambda: asked(self.kiosk, "health").get("serving"))
        self.proved()


async def test_the_first_day_of_a_terminal(folder: Path) -> None:
    """From a code on the glass to a terminal in service; each step is one person's or two's, and on the trail."""
    plan = Plan(WORLD, folder / "r", (320, 480), "A", fleet=True)
    plan.run_dir.mkdir()
    children = Children(plan.run_dir / "logs")
    stack = Stack(plan, load_world(plan.world), children)
    stack.fleet = replace(stack.fleet, expect="")  # nobody registered it before
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(stack.run)
            agent = agent_path(str(stack.kiosk_dir))
            with trio.fail_after(WAIT_S):
                while not await waits(agent):
                    await trio.sleep(0.5)
            await trio.to_thread.run_sync(in_a_browser, stack)
            nursery.cancel_scope.cancel()
    finally:
        with trio.CancelScope(shield=True):
            await children.stop_all()


async def waits(agent: Path) -> bool:
    """Its glass shows the code, and the fleet heard of it."""
    try:
        return (await ask_control(agent, "standing")).get("said") == "waiting"
    except ControlSilent:
        return False


def in_a_browser(stack: Stack) -> None:
    added = fleet(stack, "person", "add", "--city", CITY, "--login", "auditor", "--name", "周", "--role", "auditor")
    origin = stack.fleet.console_url.removesuffix("/console/")
    with chromium() as browser:
        Day(stack, People(browser, told_sign_ins(stack.fleet.sign_in, added), origin)).lived()
