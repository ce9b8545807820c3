"""A terminal's first day in a real browser: its hall is made, it is confirmed on a phone, set, given a key, given an
update whose second wave is not well and goes back by itself, closed and opened again; a resident comes and complains;
and all of it is proved from the trail. Real terminal, real agent, real fleet behind nginx."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
import trio
from playwright.sync_api import Page

from provisioning.fleet.console.render import TIME_ZONE
from provisioning.fleet.schema.places import PROVINCE
from provisioning.rules.enrolment import short_fingerprint
from simulators.devices import kmy_crypto
from simulators.stack import Stack
from tests.fleet.console.browsing import chromium
from tests.fleet.story.people import People, chooses_place, read, told_sign_ins
from tests.fleet.story.software import VERSION, fleet, neighbour, program, published, set_made, tended
from tests.fleet.story.terminal import Terminal, bare_terminal
from tests.standstill import slowness

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]  # it ends much sooner by itself where nothing moves
NUMBER, CITY, NEIGHBOURS = "T0000001", "demo-city", "V"
HALLS = ("Riverside hall", "Hill hall")  # waves in this order; the terminal of this story stands in the second
SOCIAL_KEY = bytes.fromhex("1334B09A2C5D6E7F8091A2B3C4D5E6F7")  # TEST, of nobody
SLOT = 3
WHY = "a test of the first day"
ON_THE_TRAIL = (
    "Added a place", "Confirmed a terminal", "Moved a terminal", "Proposed", "Approved", "Pad answered a key",
    "A wave began", "A wave passed", "A wave goes back", "A wave went back", "Take out of service", "Command answered",
    "Back in service", "Command answered", "Looked something up for a complaint",
)  # fmt: skip


class Day:
    """Its steps, in the order in which they are lived."""

    def __init__(self, terminal: Terminal, people: People) -> None:
        self.terminal, self.people = terminal, people
        self.own_page = f"/console/{CITY}/terminals/{NUMBER}"

    def shows(self, login: str, path: str, words: str) -> Page:
        """The page, as soon as it says so."""
        page = self.people.window(login)

        def looks() -> bool:
            page.goto(path)
            return words in read(page)

        self.terminal.until(looks, f"{path} never says {words}", lambda: read(page))
        self.people.judged(page)
        return page

    # --- a place and who stands there ---

    def made(self) -> None:
        """Two halls of a city that has none."""
        page = self.people.window("system")
        for name in HALLS:
            page.goto(f"/console/{CITY}/places")
            page.click(".tree a")
            page.click("details:has([name=kind]) > summary")
            page.fill("form:has([name=kind]) [name=name_zh]", name)
            page.fill("form:has([name=kind]) [name=name_en]", name)
            page.click("button[value=add]")
            page.wait_for_url("**?done=made")
        self.people.judged(page)

    def confirmed(self) -> None:
        """An installer reads the code on the glass with a phone and compares every digit."""
        terminal, told = self.terminal, self.terminal.agent("standing")
        way = urlsplit(told["qr"])
        page = self.people.window("operator", "phone", f"{way.path}?{way.query}")
        page.click(f"a[href*='/console/{CITY}/enrolment/']")
        assert short_fingerprint(told["fingerprint"]) in page.inner_text("main")
        self.people.judged(page)
        page.check("[name=same]")
        page.fill("[name=terminal_id]", NUMBER)
        chooses_place(page, "[name=place]", HALLS[1])
        page.click("button[value=confirm]")
        page.wait_for_url("**/enrolment?done=confirmed")
        terminal.until(lambda: terminal.agent("fleet").get("settings"), "it never had its first settings")

    def moved(self) -> None:
        """A terminal that is known already stands in the first hall from now on."""
        page, form = self.people.window("operator"), "form:has(button[value=move])"
        page.goto(f"/console/{CITY}/terminals/{NEIGHBOURS}0000001")
        page.click("details:has(button[value=move]) > summary")
        chooses_place(page, f"{form} [name=place]", HALLS[0])
        page.fill(f"{form} [name=why]", WHY)
        page.click("button[value=move]")
        page.wait_for_load_state()

    # --- what it is given ---

    def set(self) -> None:
        """One proposes settings of the city, another approves; the terminal takes them between two residents."""
        terminal, page = self.terminal, self.people.window("operator")
        before = terminal.agent("fleet")["settings"]
        page.goto(f"/console/{CITY}/settings")
        page.click(f"main a[href*='/console/{CITY}/settings/']")
        page.wait_for_url("**/settings/*")
        page.click("details:has([name=settings]) > summary")
        page.fill("[name=settings]", 'language = "en"')
        page.fill("form:has([name=settings]) [name=why]", WHY)
        self.people.approves("approver", self.people.proposes(page, "form:has([name=settings])"))
        terminal.until(lambda: terminal.agent("fleet").get("settings", 0) > before, "its settings never came")
        newest = terminal.agent("fleet")["settings"]
        self.shows("operator", self.own_page, f"{newest} in force, {newest} wanted")

    def given_a_key(self) -> None:
        """Two officers send a block that nobody else reads; what the pad says of it is what they expect."""
        terminal = self.terminal
        terminal.until(lambda: terminal.slot("pin_pad") == "ready", "the pad never comes up with the new settings")
        master = bytes.fromhex(terminal.stack.world.keys.pad_master)
        wrapped, value = kmy_crypto.encrypt_ecb(master, SOCIAL_KEY), kmy_crypto.check_value(SOCIAL_KEY)
        block = {"block_id": "", "terminal_id": NUMBER, "domain": "social", "form": "master", "slot": SLOT}
        block |= {"block": wrapped.hex().upper(), "check_value": value.hex().upper()}
        page = self.people.window("officer-1")
        page.goto(f"/console/{CITY}/keys")
        page.click("details:has([name=blocks]) > summary")
        content = json.dumps([block]).encode()
        page.set_input_files("[name=blocks]", {"name": "b.json", "mimeType": "application/json", "buffer": content})
        page.fill("form:has([name=blocks]) [name=why]", "first key")
        self.people.approves("officer-2", self.people.proposes(page, "form:has([name=blocks])"))
        self.shows("officer-1", f"/console/{CITY}/keys", "Loaded, the check value agrees")

    def updated(self) -> None:
        """Two waves: the first hall keeps the new version; in the second its gate finds a printer that is silent, the
        terminal goes back by itself, and the wave with it."""
        terminal, plan = self.terminal, self.terminal.stack.fleet
        bundle = published(plan, terminal.folder / "release")
        terminal.does(set_made, program(plan), bundle)
        path = self.rolled_out()
        beside = neighbour(plan, terminal.folder / "beside")

        def first_hall() -> bool:
            terminal.does(tended, beside)
            return beside.installer.running() == VERSION

        terminal.until(first_hall, "the first wave never came", lambda: beside.events)
        waves = read(self.shows("operator", path, f"2 · {HALLS[1]} Went back"), "#waves")
        assert f"1 · {HALLS[0]} Passed" in waves and "errors" in waves, waves
        told = terminal.agent("updates")
        assert told["running"]["application"] != VERSION
        assert any(what == "returned" and "receipt_printer" in why for _, what, _, why in told["last"]), told
        terminal.until(lambda: terminal.kiosk().get("serving"), "it never serves again")

    def rolled_out(self) -> str:
        """One proposes, another approves; the page of it."""
        page, form = self.people.window("operator"), "form:has([name=wave1])"
        page.goto(f"/console/{CITY}/rollouts")
        page.click("details:has([name=wave1]) > summary")
        page.fill("[name=name]", "spring")
        page.fill("[name=soak_minutes]", "0")
        for number, hall in enumerate(HALLS, 1):
            chooses_place(page, f"[name=wave{number}]", hall)
        page.fill(f"{form} [name=why]", WHY)
        self.people.approves("approver", self.people.proposes(page, form))
        page.goto(f"/console/{CITY}/rollouts")
        page.click("main a:has-text('spring')")
        page.wait_for_url("**/rollouts/*")
        return urlsplit(page.url).path

    def told(self, command: str, holds: Callable[[], object]) -> None:
        page, form = self.people.window("operator"), f"details:has(input[name=command][value={command}])"
        page.goto(self.own_page)
        page.click(f"{form} > summary")
        page.fill(f"{form} [name=why]", WHY)
        page.click(f"{form} button[value=command]")
        page.wait_for_url("**?done=sent")
        self.terminal.until(holds, f"{command} is never done")

    # --- who it is there for ---

    def complained(self) -> None:
        """Somebody is served, and says later that nothing was: the desk finds the visit by terminal and hour, and by
        its receipt's number, and can say that nothing is owed. Its rows came over the agent's line."""
        hour = datetime.now(ZoneInfo(TIME_ZONE)).strftime("%Y-%m-%dT%H:%M")
        self.visited()
        self.copied()
        page = self.people.window("auditor")
        page.goto(f"/console/{CITY}/complaints")
        page.fill("[name=terminal]", NUMBER)
        page.fill("[name=begins]", hour)
        found = self.looked_up(page, "complaint 77: my card was in, and I saw nothing")
        assert "visit_opened" in found and "visit_closed" in found and "Nothing is owed any more" in found, found
        (code,) = {one.split()[-1] for one in page.locator("article h3").all_inner_texts()}
        page.goto(f"/console/{CITY}/complaints")
        page.fill("[name=code]", code)
        assert "visit_closed" in self.looked_up(page, "complaint 77: the number is on the paper")
        self.people.judged(page)

    def visited(self) -> None:
        """A card goes in, sees the menu, and is taken out."""
        terminal, stack = self.terminal, self.terminal.stack
        standing = terminal.glass.look
        terminal.until(lambda: standing().question == "insert_card", "nobody is invited")
        terminal.does(stack.insert, stack.world.cards[0].handle)
        terminal.until(lambda: standing().question == "menu", "nobody is served")
        terminal.does(stack.pull)
        terminal.until(lambda: terminal.kiosk().get("somebody") is False, "the visit never ends")

    def copied(self) -> None:
        """Every row of now is in the fleet."""
        terminal, newest = self.terminal, self.terminal.forwarder("unsent")["seq"]

        def kept() -> int:
            answer = terminal.agent("ledger_kept").get("body")
            return int(json.loads(answer)["kept_up_to"]) if answer else 0

        terminal.until(lambda: kept() >= newest, f"row {newest} never comes to the fleet", kept)

    def looked_up(self, page: Page, why: str) -> str:
        page.fill("[name=why]", why)
        page.click("button[value=search]")
        page.wait_for_load_state()
        return read(page)

    def proved(self) -> list[str]:
        """An auditor proves that nothing was taken out of the trail, whose rows these are from the first act to the
        last; and no page was unfit for anybody."""
        page = self.people.window("auditor")
        page.goto(f"/console/{CITY}/audit")
        self.people.judged(page)
        rows = self.trail(page)
        page.goto(f"/console/{CITY}/audit")
        page.click("button[value=verify]")
        page.wait_for_load_state()
        assert "rows follow one another" in page.inner_text("body")
        plan, exported = self.terminal.stack.fleet, str(self.terminal.folder / "province.jsonl")
        fleet(plan, "audit", "--tenant", PROVINCE, "--to", exported)  # whose people sign software
        fleet(plan, "audit", "--tenant", PROVINCE, "--check", exported)
        assert "release_published" in Path(exported).read_text()
        assert self.people.unfit == {}
        return rows

    def trail(self, page: Page) -> list[str]:
        rows: list[str] = []  # newest first
        while True:
            rows += page.locator("main tbody tr").all_inner_texts()
            older = page.locator("main a[href*='before=']")
            if not older.count():
                return rows[::-1]
            older.first.click()
            page.wait_for_load_state()

    def lived(self) -> list[str]:
        """What stands on the trail of it."""
        kiosk = self.terminal.kiosk
        self.made()
        self.confirmed()
        self.moved()
        self.set()
        self.given_a_key()
        self.updated()
        self.told("out_of_service", lambda: kiosk().get("shut") == "out_of_service")
        self.shows("operator", self.own_page, "Out of service")
        self.told("back_in_service", lambda: kiosk().get("serving"))
        self.complained()
        return self.proved()


def in_a_browser(stack: Stack, slow: float) -> list[str]:
    terminal, plan = Terminal(stack, slow), stack.fleet
    terminal.until(lambda: terminal.agent("standing").get("said") == "waiting", "its glass never shows a code")
    with chromium() as browser:
        people = People(browser, told_sign_ins(plan), plan.console_url.removesuffix("/console/"))
        return Day(terminal, people).lived()


async def test_the_first_day_of_a_terminal() -> None:
    """From a code on the glass to a resident's complaint; each step is one person's or two's, and on the trail."""
    slow = slowness()
    async with bare_terminal(slow, NEIGHBOURS) as stack:
        rows = iter(await trio.to_thread.run_sync(in_a_browser, stack, slow))
    assert [act for act in ON_THE_TRAIL if not any(act in row for row in rows)] == []  # in this order
