"""A terminal is taken out of the world from a page: two people say so in a real browser, its real agent has the agency
sign for the whole journal, first to end its service, and root's real program then destroys what it knew
(money-rules 28)."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
import trio

from offline_queue.reset import DATABASE, KEY, RESET
from provisioning.terminal.enrolment import identity
from provisioning.terminal.generations import DESIRED
from simulators.hosts.agency_ledger import AgencyLedgerSandbox
from simulators.run import WORLD
from simulators.stack import SERIAL, TERMINAL_ID, Plan, Stack, open_stack
from tests.fleet.console.browsing import chromium
from tests.fleet.story.people import People, read, told_sign_ins
from tests.fleet.story.terminal import Terminal
from tests.fleet.story.unit import Unit
from tests.standstill import slowness

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]  # it ends much sooner by itself where nothing moves
CITY = "demo-city"
FORM = "details:has(input[name=command][value={act}])"
WHY = "it goes back to its maker"
ON_THE_TRAIL = ("Decommission", "Command answered", "Wipe", "Command answered", "Retired a terminal")


class LastDay:
    def __init__(self, terminal: Terminal, people: People, unit: Unit) -> None:
        self.terminal, self.people, self.unit = terminal, people, unit
        self.run_dir = terminal.stack.plan.run_dir
        self.key = self.key_file.read_bytes()

    @property
    def key_file(self) -> Path:
        return self.run_dir / "agent" / "identity" / identity.KEY

    def lived(self) -> list[str]:
        """What stands on the trail of it, the oldest first."""
        terminal, data = self.terminal, self.run_dir / "data"
        terminal.until(lambda: terminal.agent("fleet").get("settings"), "it never had its first settings")
        terminal.until(lambda: terminal.kiosk().get("serving"), "it never serves")
        self.visited()
        assert [(data / name).exists() for name in (DATABASE, KEY)] == [True, True]
        self.closed_for_good()
        proposal = self.wanted("wipe")
        assert list(self.unit.wishes.iterdir()) == []  # one person alone sets nothing going
        self.people.approves("approver", proposal)
        terminal.until(self.retired, "the fleet never hears that it is wiped", lambda: self.unit.said)
        assert self.unit.said == ["stop yikatong-kiosk.service yikatong-forwarder.service", "wipe.done"]
        assert [(data / name).exists() for name in (DATABASE, KEY)] == [False, False]
        assert list(self.unit.keys.iterdir()) == []
        self.kept_by_the_agency(json.loads((data / RESET).read_text())["document"])
        self.forgotten()
        assert self.people.unfit == {}
        return self.trail()

    def visited(self) -> None:
        """Somebody was served: there are rows that only this terminal wrote."""
        terminal, stack = self.terminal, self.terminal.stack
        terminal.until(lambda: terminal.glass.look().question == "insert_card", "nobody is invited")
        terminal.does(stack.insert, stack.world.cards[0].handle)
        terminal.until(lambda: terminal.glass.look().question == "menu", "nobody is served")
        terminal.does(stack.pull)
        terminal.until(lambda: terminal.kiosk().get("somebody") is False, "the visit never ends")

    def closed_for_good(self) -> None:
        """It serves nobody any more, and the agency keeps every row, the one that says so too; the box is as it was."""
        terminal = self.terminal
        self.people.approves("approver", self.wanted("decommission"))
        terminal.until(lambda: terminal.kiosk().get("shut") == "out_of_service", "it goes on serving")
        terminal.until(lambda: terminal.glass.look().question == "not_open_out_of_service", "its glass does not say so")
        terminal.until(lambda: "Done" in self.of_commands(), "nobody hears that it is closed", self.of_commands)
        assert (self.run_dir / "data" / DATABASE).exists()
        assert self.unit.said == []

    def of_commands(self) -> str:
        """What the terminal's page says of what it was told to do."""
        page = self.people.window("operator")
        page.goto(f"/console/{CITY}/terminals/{TERMINAL_ID}")
        rows = page.locator("main li, main tr", has_text="Decommission").all_inner_texts()
        return " ".join(row for row in rows if WHY in row)

    def wanted(self, act: str) -> str:
        """By one person, who writes the terminal's number once more; where it waits for the other."""
        page = self.people.window("operator")
        page.goto(f"/console/{CITY}/terminals/{TERMINAL_ID}")
        self.people.judged(page)
        form = FORM.format(act=act)
        page.fill(f"{form} [name=why]", WHY)
        page.fill(f"{form} [name=sure]", TERMINAL_ID)
        page.click(f"{form} button[value=command]")
        page.wait_for_url("**?done=proposed")
        page.goto(f"/console/{CITY}/proposals")
        where = page.locator("main a[href*='/proposals/']").first.get_attribute("href")
        assert where
        return where

    def retired(self) -> bool:
        page = self.people.window("operator")
        page.goto(f"/console/{CITY}/terminals/{TERMINAL_ID}")
        return "Retired" in read(page)

    def kept_by_the_agency(self, word: dict[str, object]) -> None:
        """Up to the row that the word names, and not one more or less."""
        ledger = self.terminal.stack.sandboxes["agency_ledger"]
        assert isinstance(ledger, AgencyLedgerSandbox)
        assert (word["kept_up_to"], word["link"]) == ledger.kept_up_to(TERMINAL_ID)

    def forgotten(self) -> None:
        """What made this box that terminal is gone, its certificate and the city's settings among it."""
        agent = self.run_dir / "agent"
        self.terminal.until(lambda: not (agent / "commands.json").exists(), "it never forgets what it was")
        self.terminal.until(lambda: self.terminal.agent("fleet").get("enrolled") is False, "its agent knows who it was")
        # Only the box's own facts are laid down, as on its first day, and nothing that a process still remembered.
        again = {"commands.json", "history.json", "refused.json", DESIRED}
        assert [path.name for path in agent.rglob("*") if path.name in again] == []
        assert not (agent / "bodies").exists()
        assert not (agent / "identity" / identity.CERTIFICATE).exists()
        assert not self.key_file.exists() or self.key_file.read_bytes() != self.key  # perhaps a new one already

    def trail(self) -> list[str]:
        page = self.people.window("auditor")
        page.goto(f"/console/{CITY}/audit")
        return page.locator("main tbody tr").all_inner_texts()[::-1]


def in_a_browser(stack: Stack, unit: Unit, slow: float) -> list[str]:
    with chromium() as browser:
        plan = stack.fleet
        terminal = Terminal(stack, slow)
        terminal.until(lambda: terminal.agent("fleet").get("enrolled"), f"{SERIAL} is not let in")
        people = People(browser, told_sign_ins(plan), plan.console_url.removesuffix("/console/"))
        return LastDay(terminal, people, unit).lived()


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="root, who alone gives mounts")
async def test_a_terminal_is_wiped_from_a_page() -> None:
    """From the word of two people to a box that is nobody's, over every process that has a part in it."""
    slow = slowness()
    with tempfile.TemporaryDirectory(prefix="ykw") as folder:  # names of sockets are short
        unit = Unit(Path(folder) / "root")
        settings = {"agent": {"privileged": str(unit.wishes)}}
        plan = Plan(WORLD, Path(folder) / "r", (320, 480), "A", fleet=True, settings=settings, screen_map=True)
        async with open_stack(plan) as stack, trio.open_nursery() as nursery:
            nursery.start_soon(unit.run, stack)
            rows = iter(await trio.to_thread.run_sync(in_a_browser, stack, unit, slow))
            nursery.cancel_scope.cancel()
    assert [act for act in ON_THE_TRAIL if not any(act in row for row in rows)] == []  # in this order
