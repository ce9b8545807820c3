"""A terminal with its updates, in memory but for its disk: hawkBit-shaped server, signed repository, a house."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kiosk.hosts.parts import part_of
from kiosk.ports import HostAnswer, HostRefused, OutcomeUnknown, Part
from provisioning.rules.releases import APPLICATION
from provisioning.rules.update_window import Window
from provisioning.terminal.disk import Disk
from provisioning.terminal.updates.application import ApplicationInstaller, BuiltIn
from provisioning.terminal.updates.boot import count_start
from provisioning.terminal.updates.ddi_client import DdiClient
from provisioning.terminal.updates.download import Download, Pace
from provisioning.terminal.updates.flow import Flow, House
from provisioning.terminal.updates.sources import LineSource
from provisioning.terminal.updates.state import Event, StateFile
from provisioning.terminal.updates.stick import Brought, Stick
from provisioning.terminal.updates.tend import Updates
from simulators.hosts.hawkbit import Hawkbit
from tests.fleet.updates.bundles import JOURNAL
from tests.fleet.updates.office import Office

TERMINAL = "T0000001"
TOKEN = "TargetToken 0123456789abcdef"


@dataclass
class Line:
    """Implements ``HostLink`` and ``DocumentLink`` between a terminal and its server, with the repository as files.

    ``fails``: so many calls to come find nobody. ``pieces``: where each began, and how long it was.
    """

    hawkbit: Hawkbit
    repository: Path
    fails: int = 0
    dark: bool = False
    asked: list[str] = field(default_factory=list)
    pieces: list[tuple[int, int]] = field(default_factory=list)

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        key: str = "",
        deadline_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HostAnswer:
        self._weather()
        self.asked.append(f"{method} {path}")
        sent = json.dumps(body).encode() if body is not None else b""
        told = self.hawkbit.answer(method, path, headers or {}, sent)
        if told.status >= 400:
            raise HostRefused("fleet", json.loads(told.body)["errorCode"])
        return HostAnswer(told.status, json.loads(told.body) if told.body else None)

    async def fetch_part(
        self,
        path: str,
        *,
        first: int = 0,
        bytes_max: int,
        etag: str = "",
        deadline_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Part | None:
        self._weather()
        self.asked.append(f"GET {path}")
        if path.startswith("/tuf/"):
            return self._file(path, bytes_max)
        wanted = {"Range": f"bytes={first}-{first + bytes_max - 1}", **({"If-Range": etag} if etag else {})}
        told = self.hawkbit.answer("GET", path, {**wanted, **(headers or {})})
        if told.status == 404:
            return None
        content = told.body[:bytes_max]
        self.pieces.append((first, len(content)))
        lengths = {"Content-Length": str(len(told.body))}
        return part_of(told.status, {**told.headers, **lengths}, content, len(content) < len(told.body))

    def _file(self, path: str, bytes_max: int) -> Part | None:
        file = self.repository / path.removeprefix("/tuf/")
        if not file.exists():
            return None
        content = file.read_bytes()
        return Part(content[:bytes_max], 0, len(content), '"1"', len(content) <= bytes_max)

    def _weather(self) -> None:
        if self.dark or self.fails > 0:
            self.fails -= 1
            raise OutcomeUnknown("fleet", "nobody is there")


@dataclass
class Terminal:
    """What survives a power cut is below ``home``; ``power_on`` makes the agent's parts anew from it."""

    home: Path
    office: Office
    hawkbit: Hawkbit = field(default_factory=Hawkbit)
    disk: Disk = field(default_factory=Disk)
    now: datetime | None = None
    window: Window = field(default_factory=Window)
    busy: str = ""  # why the kiosk cannot rest
    metered: bool | None = True
    sick: str = ""  # why the new version is not well
    settings_trouble: str = ""
    restarts: list[str] = field(default_factory=list)
    runs: str = "0.9.0"  # what the kiosk's process is
    program: str = "0.9.0"  # and the agent's
    recorded: list[Event] = field(default_factory=list)
    swapped: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.line = Line(self.hawkbit, self.office.repository.folder)
        self.hawkbit.target_token = TOKEN.removeprefix("TargetToken ")
        self.power_on()

    def power_on(self, disk: Disk | None = None) -> None:
        self.disk = disk or self.disk
        self.installer = ApplicationInstaller(
            self.home / "application", self.disk, BuiltIn("0.9.0", JOURNAL), self._reads_settings
        )
        state = StateFile(self.home / "updates", self.disk)
        house = House(
            now=self.local_now,
            rest=self._rest,
            look=self._look,
            restart=self._restart,
            healthy=self._healthy,
            metered=self._metered,
            program=self.program,
            record=self.recorded.append,
        )
        # No cap: pieces of a test come one after the other.
        pace = Pace(bytes_per_s_max=1 << 40, piece_bytes_max=4096, piece_bytes_min=512)
        proof = {"Authorization": TOKEN}
        download = Download(self.line, self.home / "downloads", self.disk, pace, headers=proof)
        self.flow = Flow(
            TERMINAL, state, self.disk, house, {APPLICATION: self.installer}, lambda: self.window, download
        )
        self.trust = self.office.trust(self.home / "tuf", self.disk)
        client = DdiClient(self.line, "DEFAULT", TERMINAL, TOKEN)
        self.updates = Updates(
            client, self.trust, LineSource(self.line), self.flow, attributes=lambda: {"kind": "hall"}
        )
        self.stick = Stick(self.trust, self.flow, self._swap)

    def boot(self) -> str:
        """Power comes back: what runs before the kiosk, the kiosk, the agent."""
        self.power_on(Disk())
        done = count_start(self.home / "application") if (self.home / "application").exists() else ""
        self.runs = self.installer.running()
        self.agent_anew()
        return done

    def agent_anew(self) -> None:
        """The agent's process ended; it starts as what is in force."""
        self.program = self.installer.running()
        self.power_on()

    async def tend(self) -> float | None:
        """A round of the agent, and of the next one where it ended to start anew."""
        sleep_s = await self.updates.tend()
        if self.flow.starts_anew:
            self.agent_anew()
            sleep_s = await self.updates.tend()
        return sleep_s

    async def bring(self, stick: Path) -> Brought:
        """A stick is put in, and the agent starts anew where it installed something."""
        brought = await self.stick.bring(stick)
        if self.flow.starts_anew:
            self.agent_anew()
            await self.updates.tend()
        return brought

    def local_now(self) -> datetime:
        return self.now or self.office.now()

    def at(self, hour: int, days: int = 0) -> None:
        self.now = (self.office.now() + timedelta(days=days)).replace(hour=hour, minute=0)

    @property
    def events(self) -> list[tuple[str, str]]:
        return [(event.what, event.version) for event in self.flow.now_state.events]

    async def _rest(self) -> str:
        return self.busy

    async def _look(self, kind: str) -> str:
        return self.runs

    async def _metered(self) -> bool | None:
        return self.metered

    async def _restart(self, kind: str, before: str) -> None:
        self.restarts.append(kind)
        self.runs = self.installer.running()

    async def _healthy(self, kind: str, before: str) -> str:
        return self.sick if self.runs != before else ""

    async def _reads_settings(self, generation: Path) -> str:
        return self.settings_trouble

    async def _swap(self, stick: Path) -> None:
        self.swapped.append(stick)
