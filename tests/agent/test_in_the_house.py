"""The agent beside the real kiosk, forwarder and fleet: settings, commands and what happens when they are bad."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from kiosk.control import agent_path, ask_control, kiosk_path
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

CITY, TERMINAL = "demo-city", "T0000001"
OPERATOR, APPROVER = Actor(CITY, "person:operator"), Actor(CITY, "person:approver")
WAIT_S = 90.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class Office:
    """People at the console, by the acts behind its pages."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
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
        await until(lambda: self._answered(act))
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

    async def kiosk(self) -> dict[str, Any]:
        told: dict[str, Any] = await ask_control(kiosk_path(self.run_dir), "health")
        return told


async def until(holds: Callable[[], Awaitable[object]], seconds: float = WAIT_S) -> None:
    with trio.fail_after(seconds):
        while not await holds():
            await trio.sleep(0.2)


@pytest.fixture
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """The demo with its fleet, until its terminal has enrolled by itself and has its first settings."""
    folder = Path(tmp_path_factory.mktemp("house"))
    local = {"agent": {"gate_s_max": 15.0}}
    async with open_stack(Plan(WORLD, folder / "r", (320, 480), "A", fleet=True, settings=local)) as stack:
        await until(lambda: _enrolled(stack))
        yield Office(stack)


async def _enrolled(stack: Stack) -> bool:
    told = await ask_control(agent_path(str(stack.kiosk_dir)), "fleet")
    return bool(told["enrolled"] and told["settings"])


async def test_a_terminal_is_run_from_afar(office: Office) -> None:
    """Enrolled without a hand; settings of the city in force after a restart between visits; out of service kept over
    a restart; settings that lose a host come back by themselves; a wipe with rows that only we have is refused."""
    life = (await office.kiosk())["life"]
    await office.settings({"language": "en", "timing": {"question_s": 60.0}})
    await until(lambda: office.in_force(2))
    assert (await office.kiosk())["life"] != life

    await until(lambda: _ready(office))
    await office.stack.insert("wang_xiulan")
    await until(lambda: _somebody(office))
    life = (await office.kiosk())["life"]
    await office.settings({"language": "zh"})
    await until(lambda: _waits(office))
    assert (await office.kiosk())["life"] == life  # who is in front is not disturbed
    await office.stack.pull()
    await until(lambda: office.in_force(3))

    assert await office.sent("out_of_service") == ("done", "")
    assert await office.sent("restart") == ("done", "")
    assert (await office.kiosk())["shut"] == "out_of_service"
    assert await office.sent("back_in_service") == ("done", "")
    assert (await office.kiosk())["serving"]
    assert await office.sent("picture") == ("done", "")

    await office.settings({"language": "en", "hosts": {"hospital": {"url": "https://127.0.0.1:1"}}})
    await until(lambda: _gone_back(office))
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
