"""The story's terminal: a whole stack with its fleet, asked over its own sockets from the browser's thread."""

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import trio

from kiosk.basics.control import ControlSilent, agent_path, ask_control, forward_path, kiosk_path
from simulators.processes import Children
from simulators.run import WORLD
from simulators.smoke.glass import Glass
from simulators.stack import Plan, Stack
from simulators.worlds.world import load_world
from tests.standstill import Standstill

GATE_S_MAX = 60.0  # of a free machine, where a kiosk starts in ten
LOOK_S = 0.5


@asynccontextmanager
async def bare_terminal(slow: float, neighbours: str) -> AsyncIterator[Stack]:
    """Runs, and nobody registered it before; one ``neighbours``0000001 is enrolled beside it."""
    with tempfile.TemporaryDirectory(prefix="yks") as folder:  # names of sockets are short
        settings = {"agent": {"gate_s_max": GATE_S_MAX * slow}}
        plan = Plan(WORLD, Path(folder) / "r", (320, 480), "A", fleet=True, settings=settings, screen_map=True)
        plan.run_dir.mkdir()
        children = Children(plan.run_dir / "logs")
        stack = Stack(plan, load_world(plan.world), children)
        stack.fleet = replace(stack.fleet, expect="", terminals=1, prefix=neighbours)
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(stack.run)
                yield stack
                nursery.cancel_scope.cancel()
        finally:
            with trio.CancelScope(shield=True):
                await children.stop_all()


@dataclass
class Terminal:
    """For the thread that the browser belongs to. ``slow``: how many times slower than a free machine this one is."""

    stack: Stack
    slow: float
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder = self.stack.plan.run_dir / "story"
        self.folder.mkdir()
        run_dir = str(self.stack.kiosk_dir)
        self._agent, self._kiosk, self._forwarder = agent_path(run_dir), kiosk_path(run_dir), forward_path(run_dir)

    def agent(self, word: str) -> Any:
        return _asked(self._agent, word)

    def kiosk(self) -> Any:
        return _asked(self._kiosk, "health")

    def forwarder(self, word: str) -> Any:
        return _asked(self._forwarder, word)

    def does(self, act: Callable[..., Any], *about: Any) -> Any:
        """A person's act at it, or another part's of the story, in its own thread."""
        return trio.from_thread.run(partial(act, *about))

    @property
    def glass(self) -> Glass:
        return Glass(self.stack.kiosk_dir / "screen.json")

    def slot(self, name: str) -> object:
        return self.kiosk().get("slots", {}).get(name, {}).get("condition")

    def until(self, holds: Callable[[], object], why: str, seen: Callable[[], object] = lambda: "") -> None:
        """Its agent is told to ask the fleet at each look. ``seen``: what else says how far it is."""
        standstill = Standstill((GATE_S_MAX + 60.0) * self.slow)
        while not holds():
            standstill.see((self._far(), seen()), why)
            self.agent("poll")
            trio.from_thread.run(trio.sleep, LOOK_S)

    def _far(self) -> tuple[object, ...]:
        """How far it is, by its own word, without what moves by itself."""
        health, fleet, updates = self.kiosk(), self.agent("fleet"), self.agent("updates")
        slots = {name: slot["condition"] for name, slot in health.get("slots", {}).items()}
        kiosk = [health.get(name) for name in ("life", "settings", "shut", "serving", "somebody")]
        agent = [fleet.get(name) for name in ("enrolled", "settings", "waits")]
        return kiosk, slots, agent, updates.get("under_way"), updates.get("last"), self.glass.look().question


def _asked(path: Path, word: str) -> Any:
    """{} while nobody answers."""

    async def ask() -> Any:
        try:
            return await ask_control(path, word)
        except ControlSilent:
            return {}

    return trio.from_thread.run(ask)
