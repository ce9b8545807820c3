"""A machine with two slots, in memory: its boot loader by the rules of image/bundle/README.md, and its RAUC.

``tests/appliance/test_real_rauc.py`` asks the same of the real RAUC.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provisioning.rules.releases import IMAGE, Journal, image_words
from provisioning.terminal.disk import Disk
from provisioning.terminal.updates.booted import Booted
from provisioning.terminal.updates.gate import ByKind
from provisioning.terminal.updates.image import ImageInstaller
from provisioning.terminal.updates.image_gate import ImageGate
from provisioning.terminal.updates.rauc import Described, Mark, RaucFailed, Slot, Which
from tests.fleet.updates.stand import Terminal

TRIES = 3


class Rebooted(BaseException):
    """Nobody catches it but the test: everything that ran ended."""


HERE = Journal(layout=3, back_to=2)  # what runs writes


def image(version: str, journal: Journal = HERE, signed: bool = True) -> bytes:
    """What stands for a bundle."""
    told = {"version": version, "description": image_words(journal), "signed": signed}
    return json.dumps(told).encode().ljust(20_000)


@dataclass
class Machine:
    """``slots``: version of what lies whole in each. ``dead``: versions that never come up."""

    slots: dict[str, str] = field(default_factory=lambda: {"A": "1.0.0", "B": ""})
    order: list[str] = field(default_factory=lambda: ["A", "B"])
    ok: dict[str, bool] = field(default_factory=lambda: {"A": True, "B": False})
    tries: dict[str, int] = field(default_factory=lambda: {"A": 0, "B": 0})
    dead: set[str] = field(default_factory=set)
    running: str = "A"
    starts: int = 0

    @property
    def booted(self) -> Booted:
        return Booted(self.running, self.slots[self.running], f"boot-{self.starts}")

    def boot(self) -> None:
        """Until something comes up, as watchdog and panic have it."""
        for _ in range(4 * TRIES):
            self.running, self.starts = self._grub(), self.starts + 1
            if self.slots[self.running] not in {*self.dead, ""}:
                return
        raise AssertionError("nothing comes up")

    def _grub(self) -> str:
        for _ in range(2):
            for slot in self.order:
                if self.ok[slot] and self.tries[slot] < TRIES:
                    self.tries[slot] += 1
                    return slot
            self.tries = {"A": 0, "B": 0}
        raise AssertionError("no slot may be started")


@dataclass
class RaucInMemory:
    """Implements ``AsksRauc``. ``cut``: called before each effect, and may end everything."""

    machine: Machine
    cut: Callable[[], None] = lambda: None
    silent: bool = False

    async def slots(self) -> dict[str, Slot]:
        self._there()
        known = self.machine
        return {one: Slot(known.ok[one] and not known.tries[one], version) for one, version in known.slots.items()}

    async def describe(self, bundle: Path) -> Described:
        self._there()
        told = json.loads(bundle.read_bytes())
        if not told["signed"]:
            raise RaucFailed("signature verification failed")
        return Described(told["version"], told["description"])

    async def install(self, bundle: Path) -> None:
        self._there()
        other = self._slot("other")
        self.cut()
        self.machine.ok[other], self.machine.slots[other] = False, ""
        self.cut()
        self.machine.slots[other] = json.loads(bundle.read_bytes())["version"]

    async def mark(self, mark: Mark, which: Which) -> None:
        self._there()
        self.cut()
        slot, machine = self._slot(which), self.machine
        machine.tries[slot], machine.ok[slot] = 0, mark != "bad"
        if mark == "active":
            machine.order = [slot, *(one for one in machine.order if one != slot)]

    def _slot(self, which: Which) -> str:
        return self.machine.running if which == "booted" else {"A": "B", "B": "A"}[self.machine.running]

    def _there(self) -> None:
        if self.silent:
            raise RaucFailed("no service")


class KioskOfSlots:
    """Kiosk and forwarder as the gate's ``House`` asks them; ``sick``: versions and what is wrong with their kiosk;
    ``lifeless``: versions of which neither of the two can be started."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.sick, self.busy = machine, dict[str, str](), ""
        self.lifeless = set[str]()

    async def rest(self) -> str:
        return "unknown" if self._lies_dead else self.busy

    async def nobody_is_there(self) -> bool:
        return self._lies_dead

    @property
    def _lies_dead(self) -> bool:
        """Kiosk and forwarder of what runs cannot be started."""
        return self.machine.slots[self.machine.running] in self.lifeless

    async def health(self) -> dict[str, Any] | None:
        if self._lies_dead:
            return None
        ready = {"condition": "ready", "reason": ""}
        return {"life": str(self.machine.starts), "settings": "", "shut": "", "slots": {"card_reader": ready}}

    async def self_test(self) -> str:
        if self._lies_dead:
            return "the kiosk does not answer"
        return self.sick.get(self.machine.slots[self.machine.running], "")


@dataclass
class ImageTerminal(Terminal):
    """A terminal on such a machine; its ``boot`` is the machine's."""

    machine: Machine = field(default_factory=Machine)
    fleet_heard: bool = True

    def __post_init__(self) -> None:
        self.kiosk = KioskOfSlots(self.machine)
        self.rauc = RaucInMemory(self.machine)
        self.metered = False
        super().__post_init__()

    def power_on(self, disk: Disk | None = None) -> None:
        super().power_on(disk)
        self.rauc.cut = getattr(self.disk, "or_cut", lambda: None)
        self.image = ImageInstaller(self.home / "image", self.disk, self.machine.booted, self.rauc, HERE)
        self.gate = ImageGate(
            self.kiosk, self.image, self._reboot, lambda: self.fleet_heard, lambda event, **fields: None, 300.0
        )
        self.image.settle()
        house, gates = self.flow.house, ByKind({IMAGE: self.gate})
        house.rest, house.look, house.restart, house.healthy = self.kiosk.rest, gates.look, gates.restart, gates.healthy
        self.flow.installers = {IMAGE: self.image}

    def boot(self, disk: Disk | None = None) -> str:
        self.machine.boot()
        self.power_on(disk or Disk())
        return self.machine.running

    async def _reboot(self, word: str) -> None:
        raise Rebooted

    async def live(self) -> None:
        """Rounds of the agent, over as many starts as it wants, until nothing is under way; then it is confirmed."""
        for _ in range(20):
            try:
                await self.updates.tend()
            except Rebooted:
                self.boot(self.disk)  # a cut that is still to come hits a later start
                continue
            if not self.updates.busy:
                await self.gate.confirm()
                return
        raise AssertionError(f"still under way: {self.flow.now_state.update}")
