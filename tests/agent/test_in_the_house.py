"""The agent beside the real kiosk, forwarder and fleet: settings, commands and what happens when they are bad."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from kiosk.basics.control import ControlSilent, agent_path, ask_control, kiosk_path
from provisioning.fleet import proposals
from provisioning.fleet.actor import Actor
from provisioning.fleet.database import open_database
from provisioning.fleet.desired.acts import propose_settings
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.terminals import TerminalHealth
from provisioning.fleet.settings import load_settings
from provisioning.fleet.terminal_commands.acts import Target, of_terminal, send
from provisioning.fleet.web import now_ms
from simulators.run import WORLD
from simulators.stack import Plan, Stack, open_stack
from tests.standstill import Standstill, slowness

CITY, TERMINAL = "demo-city", "T0000001"
OPERATOR, APPROVER = Actor(CITY, "person:operator"), Actor(CITY, "person:approver")
GATE_S_MAX = 15.0  # of a free machine, where a kiosk starts in ten
LONG_S = 1800.0  # who has put a card in stays until it is pulled
STILL_S = 75.0  # of a free machine: longer than anything here goes on without a word

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]  # it ends much sooner by itself where nothing moves


class Office:
    """People at the console, by the acts behind its pages."""

    def __init__(self, stack: Stack, slow: float) -> None:
        self.stack, self.slow = stack, slow
        open_database(load_settings(stack.fleet.settings).database_url)
        self.root: Place = Place.get((Place.tenant == CITY) & Place.parent.is_null())

    @property
    def run_dir(self) -> str:
        return str(self.stack.kiosk_dir)

    async def settings(self, settings: dict[str, Any]) -> None:
        proposal = propose_settings(OPERATOR, self.root.id, "", settings, (), "for a test", now_ms())
        proposals.approve(APPROVER, proposal, now_ms())
        await ask_control(agent_path(self.run_dir), "poll")

    async def sent(self, act: str, arguments: dict[str, Any] | None = None) -> tuple[str, str]:
        """What became of it."""
        sent = send(OPERATOR, Target(TERMINAL), act, arguments or {}, "for a test", now_ms())
        if sent.proposal:
            proposals.approve(APPROVER, sent.proposal, now_ms())
        await trio.sleep(0.7)  # the fleet's memory follows its database
        await ask_control(agent_path(self.run_dir), "poll")
        await self.until(lambda: self._answered(act), f"{act} is not answered")
        row = of_terminal(OPERATOR, TERMINAL, 1)[0]
        return row.state, row.answer

    async def _answered(self, act: str) -> bool:
        return of_terminal(OPERATOR, TERMINAL, 1)[0].state != "waiting"

    async def in_force(self, version: int) -> bool:
        health = TerminalHealth.get_or_none()
        return health is not None and health.desired_version == version and not health.desired_trouble

    async def trouble(self) -> str:
        health = TerminalHealth.get_or_none()
        return str(health.desired_trouble) if health else ""

    async def until(self, holds: Callable[[], Awaitable[object]], why: str) -> None:
        """Fails where nothing that the terminal or the fleet says of it changes any more, however slow both are."""
        standstill = Standstill(STILL_S * self.slow)
        while not await holds():
            standstill.see(await self._far(), why)
            await trio.sleep(0.2)

    async def _far(self) -> object:
        """By every word but those that move by themselves."""
        health, agent = await _told(kiosk_path(self.run_dir), "health"), await _told(agent_path(self.run_dir), "fleet")
        slots = {name: slot["condition"] for name, slot in health.get("slots", {}).items()}
        kiosk = [health.get(name) for name in ("life", "settings", "shut", "serving", "somebody")]
        commands = [(one.state, one.answer) for one in of_terminal(OPERATOR, TERMINAL, 1)]
        return slots, kiosk, [agent.get(name) for name in ("settings", "waits")], commands, await self.trouble()

    async def kiosk(self) -> dict[str, Any]:
        told: dict[str, Any] = await ask_control(kiosk_path(self.run_dir), "health")
        return told


async def _told(path: Path, word: str) -> dict[str, Any]:
    """{} while nobody answers."""
    try:
        told: dict[str, Any] = await ask_control(path, word)
    except ControlSilent:
        return {}
    return told


@pytest.fixture
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """The demo with its fleet, until its terminal has enrolled by itself and has its first settings."""
    folder, slow = Path(tmp_path_factory.mktemp("house")), slowness()
    local = {"agent": {"gate_s_max": GATE_S_MAX * slow}}
    async with open_stack(Plan(WORLD, folder / "r", (320, 480), "A", fleet=True, settings=local)) as stack:
        agent, standstill = agent_path(str(stack.kiosk_dir)), Standstill(STILL_S * slow)
        while not (await _told(agent, "fleet")).get("settings"):
            standstill.see(await _told(agent, "standing"), "it does not enrol")
            await trio.sleep(0.2)
        yield Office(stack, slow)


async def test_a_terminal_is_run_from_afar(office: Office) -> None:
    """Enrolled without a hand; settings of the city in force after a restart between visits; out of service kept over
    a restart; settings that lose a host come back by themselves; a wipe with rows that only we have is refused."""
    life = (await office.kiosk())["life"]
    await office.settings({"language": "en", "timing": {"question_s": LONG_S, "question_slow_s": LONG_S}})
    await office.until(lambda: office.in_force(2), "settings are not in force")
    assert (await office.kiosk())["life"] != life

    await office.until(lambda: _ready(office), "it does not serve")
    await office.stack.insert("wang_xiulan")
    await office.until(lambda: _somebody(office), "nobody is served")
    life = (await office.kiosk())["life"]
    await office.settings({"language": "zh"})
    await office.until(lambda: _waits(office), "settings do not wait")
    assert (await office.kiosk())["life"] == life  # who is in front is not disturbed
    await office.stack.pull()
    await office.until(lambda: office.in_force(3), "settings are not in force")

    assert await office.sent("out_of_service") == ("done", "")
    assert await office.sent("restart") == ("done", "")
    assert (await office.kiosk())["shut"] == "out_of_service"
    assert await office.sent("back_in_service") == ("done", "")
    assert (await office.kiosk())["serving"]
    assert await office.sent("picture") == ("done", "")

    await office.settings({"language": "en", "hosts": {"hospital": {"url": "https://127.0.0.1:1"}}})
    await office.until(lambda: _gone_back(office), "settings do not go back")
    assert "host hospital does not answer any more" in await office.trouble()
    assert office.stack.local_facts.exists()
    assert '"zh"' in (office.stack.plan.run_dir / "settings.toml").read_text()

    assert await office.sent("test_page", {"slot": "receipt_printer"}) == ("done", "")
    assert len(office.stack.hardware.papers()) == 1
    assert await office.sent("doctor") == ("done", "")
    assert await office.sent("reboot") == ("refused", "nothing here may reboot the machine")
    state, why = await office.sent("wipe")
    assert state == "refused" and why
    journal = [json.loads(line) for line in _lines(office, "agent") if "command_answered" in line]
    assert len(journal) == 8


def _lines(office: Office, name: str) -> list[str]:
    return (office.stack.plan.run_dir / "logs" / f"{name}.log").read_text().splitlines()


async def _somebody(office: Office) -> bool:
    return bool((await office.kiosk())["somebody"])


async def _ready(office: Office) -> bool:
    """It has taken stock of its reader: a card that is put in from now on is served."""
    return office.stack.kiosk.ready


async def _waits(office: Office) -> bool:
    return "a resident is being served" in await office.trouble()


async def _gone_back(office: Office) -> bool:
    return "was not well" in await office.trouble()
