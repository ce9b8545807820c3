"""Staff's stick where the agent alone has one: the page waits for the agent's word, and says what became of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from kiosk.basics.control import agent_path, serve_control
from kiosk.domain.ledger import StickCopy
from kiosk.ports.staff import StickTrouble
from kiosk.records.evidence import TerminalCopies
from kiosk.records.stick_by_agent import CopiesByAgent, other_copies
from kiosk.settings.agent_rules import AgentRules
from kiosk.settings.config import JournalRules, Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "settings.toml"
    path.write_text(f'run_dir = "{tmp_path}/run"\ndata_dir = "{tmp_path}/data"\n')
    agent_path(f"{tmp_path}/run").parent.mkdir(parents=True)
    made = load_settings(path)
    return msgspec.structs.replace(made, agent=AgentRules(home="/nowhere", privileged="/nowhere/wishes"))


@asynccontextmanager
async def agent(settings: Settings, stick: str, *told: dict[str, Any]) -> AsyncIterator[None]:
    """Says of the stick what ``told`` says, one after the other."""
    answers = iter(told)

    async def begun() -> Any:
        return {"stick": stick}

    async def updates() -> Any:
        return {"running": {}, "rows": next(answers)}

    async with trio.open_nursery() as nursery:
        await nursery.start(serve_control, agent_path(settings.run_dir), {"stick": begun, "updates": updates})
        yield
        nursery.cancel_scope.cancel()


async def test_the_page_waits_until_the_stick_has_taken_all(settings: Settings) -> None:
    """Which rows are on it, and what became of the answer; not what was under way a moment before."""
    rows = {"files": 2, "why": "", "answer": "kept", "first": 4, "last": 90}
    async with agent(settings, "begun", {}, rows):
        assert await CopiesByAgent(settings).to_stick() == StickCopy(4, 90, "kept")
    async with agent(settings, "begun", {"files": 0, "why": "", "answer": "silent"}):
        assert await CopiesByAgent(settings).to_stick() == StickCopy(0, 0, "")


@pytest.mark.parametrize(
    ("why", "told"),
    [("foreign", "foreign"), ("full", "full"), ("silent", "silent"), ("read_only", "read_only"), ("refused", "broken")],
)
async def test_why_it_took_nothing_is_told(settings: Settings, why: str, told: str) -> None:
    """Staff read what to do next, each time that not all is on it."""
    async with agent(settings, "begun", {"files": 1, "why": why, "answer": "", "first": 1, "last": 5}):
        with pytest.raises(StickTrouble, match=told):
            await CopiesByAgent(settings).to_stick()


async def test_no_stick_and_no_agent_are_told_apart(settings: Settings) -> None:
    """An empty place, and a program that is down."""
    async with agent(settings, "none"):
        with pytest.raises(StickTrouble, match="missing"):
            await CopiesByAgent(settings).to_stick()
    with pytest.raises(StickTrouble, match="silent"):
        await CopiesByAgent(settings).to_stick()


def test_who_carries_is_told_by_the_box(settings: Settings) -> None:
    """The agent where root mounts sticks for it; staff's own program where the place is a folder or a plain mount."""
    assert isinstance(other_copies(settings), CopiesByAgent)
    plain = msgspec.structs.replace(settings, agent=AgentRules(), journal=JournalRules(stick="/media/stick"))
    assert type(other_copies(plain)) is TerminalCopies
