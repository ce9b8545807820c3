"""Updates as a task of the agent, and all their parts put together for its root."""

import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import trio

from kiosk.ports import DocumentLink, HostLink, Log
from provisioning.rules.poll import PollAnswer
from provisioning.rules.releases import APPLICATION, IMAGE
from provisioning.rules.update_window import Window
from provisioning.terminal.disk import Disk
from provisioning.terminal.house import House as KioskHouse
from provisioning.terminal.privileged import NoPrivileged, Privileged
from provisioning.terminal.updates.application import ApplicationInstaller, BuiltIn
from provisioning.terminal.updates.ddi_client import DdiClient
from provisioning.terminal.updates.download import Download, Pace
from provisioning.terminal.updates.flow import Flow, House
from provisioning.terminal.updates.gate import ByKind, KioskGate
from provisioning.terminal.updates.image_gate import ImageGate
from provisioning.terminal.updates.installer import Installer
from provisioning.terminal.updates.rows_by_stick import RowsByStick
from provisioning.terminal.updates.sources import LineSource
from provisioning.terminal.updates.state import Event, StateFile
from provisioning.terminal.updates.stick import Brought, Mark, Stick, mark_of, signed_by_two
from provisioning.terminal.updates.stick_door import StickDoor
from provisioning.terminal.updates.tend import Updates
from provisioning.terminal.updates.trust import Trust

EVENTS_TOLD = 8
LOOK_EVERY_S = 10.0  # whether a stick was put in
AGAIN_S = 600.0  # in a dark place: whether the hour has come
READ_S_MAX = 60.0


class FleetLink(HostLink, DocumentLink, Protocol):
    """One link that asks and that loads."""


@dataclass(frozen=True)
class Place:
    """What the agent's root knows of this terminal. ``anchor``: file of the first root, as it came with the image.

    ``settings``: path of the settings in force. ``metered``: its line is paid by the byte now; None: not known.
    """

    home: Path
    anchor: Path
    tenant: str
    terminal_id: str
    settings: Path
    window: Window = field(default_factory=Window)
    pace: Pace = field(default_factory=Pace)
    metered: Callable[[], bool | None] = lambda: None
    gate_s_max: float = 120.0
    ddi_token: str = field(default="", repr=False)
    stick: Path | None = None
    privileged: Privileged = field(default_factory=NoPrivileged)  # who mounts the stick
    program: str = ""  # version of the agent that this is


@dataclass
class Tending:
    """``errand`` is called with each answer of the fleet; ``run`` is the task. ``mount``: where a stick is, and with
    ``needs_mount`` an empty place is none."""

    updates: Updates
    stick: Stick | None = None
    mount: Path | None = None
    needs_mount: bool = False
    again_s: float = AGAIN_S
    rows: RowsByStick | None = None
    door: StickDoor | None = None
    _due: trio.Event = field(default_factory=trio.Event, init=False)
    _stick_wanted: bool = field(default=False, init=False)
    _brought: Brought | None = field(default=None, init=False)
    _seen: Mark | None = field(default=None, init=False)

    @classmethod
    def open(
        cls,
        place: Place,
        link: FleetLink,
        kiosk: KioskHouse,
        built_in: BuiltIn,
        now: Callable[[], datetime],
        log: Log,
        hands: trio.Lock,
        image: ImageGate | None = None,
    ) -> "Tending":
        """Raises OSError: the folders below ``home`` cannot be made."""
        updates = open_updates(place, link, kiosk, built_in, now, log, hands, image)
        ours = partial(signed_by_two, updates.trust)
        door = StickDoor(place.privileged)
        rows = RowsByStick(kiosk.run_dir, place.terminal_id, log, ours, door)
        stick = Stick(updates.trust, updates.flow, rows.swap)
        return cls(updates, stick, place.stick, needs_mount=place.privileged.is_there, rows=rows, door=door)

    async def errand(self, answer: PollAnswer) -> None:
        if answer.action or self.updates.busy:
            self._due.set()

    def bring_stick(self) -> dict[str, str]:
        """Somebody put a stick in; what became of it ``told`` says."""
        if self.mount is None or not (self.mount.is_mount() if self.needs_mount else self.mount.is_dir()):
            return {"stick": "none"}
        if not self._stick_wanted:
            self._stick_wanted, self._brought = True, None
            if self.rows is not None:
                self.rows.begin()
            self._due.set()
        return {"stick": "begun"}

    def told(self) -> dict[str, Any]:
        """For doctor and the staff page: what runs, what is under way and why it waits, what happened last."""
        state, flow = self.updates.flow.now_state, self.updates.flow
        update, brought = state.update, self._brought
        under_way = {"version": update.version, "step": update.step, "waits": update.why} if update else {}
        stick = "reading" if self._stick_wanted else ""
        return {
            "running": {kind: installer.running() for kind, installer in flow.installers.items()},
            "under_way": under_way,
            "stick": {"version": brought.version, "why": brought.why, "words": brought.words} if brought else stick,
            "rows": self._rows_told(),
            "last": [[event.at_ms, event.what, event.version, event.why] for event in state.events[-EVENTS_TOLD:]],
        }

    def _rows_told(self) -> dict[str, Any]:
        """Nothing while they are written: it is only so once the stick has taken them."""
        rows = self.rows
        if rows is None or not rows.ended:
            return {}
        span = {"first": rows.first, "last": rows.last} if rows.files else {}
        return {"files": rows.files, "why": rows.why, "answer": rows.answer, **span}

    async def run(self) -> None:
        """For ever, or until other software was installed: then the agent ends, to start anew as that."""
        if self.door is not None and self.mount is not None:
            await self.door.shut_behind(self.mount)
        if self.updates.busy:  # an earlier life's: what it began is ended before anything else
            await self.updates.tend()
        last = trio.current_time()
        while not self.updates.flow.starts_anew:
            with trio.move_on_after(min(LOOK_EVERY_S, self.again_s)):
                await self._due.wait()
            named, self._due = self._due.is_set(), trio.Event()
            await self._see_stick()
            if named or (self.updates.busy and trio.current_time() >= last + self.again_s):
                last = trio.current_time()
                await self.updates.tend()

    async def _see_stick(self) -> None:
        """Whoever puts one in types nothing. The same stick is read once, or again when somebody asks."""
        seen = self._mark()
        new, self._seen = seen is not None and seen != self._seen, seen
        if self.stick is None or self.mount is None or not (new or self._stick_wanted):
            return
        self._stick_wanted = True
        # An image brings an application: what the stick has beside may be newer still.
        kinds = [kind for kind in (IMAGE, APPLICATION) if kind in self.updates.flow.installers]
        self._brought = await self.stick.bring(self.mount, *kinds)
        self._stick_wanted = False

    def _mark(self) -> Mark | None:
        return mark_of(self.mount, self.updates.flow.terminal_id) if self.mount is not None else None


def open_updates(
    place: Place,
    link: FleetLink,
    kiosk: KioskHouse,
    built_in: BuiltIn,
    now: Callable[[], datetime],
    log: Log,
    hands: trio.Lock,
    image: ImageGate | None = None,
) -> Updates:
    """``now``: the hour that is believed, with the place's zone. ``image``: of a machine with two slots.

    Raises:
        OSError: the folders below ``home`` cannot be made.
    """
    disk = Disk()
    reads = partial(reads_settings, settings=place.settings)
    version_of_image = image.image.running() if image else ""
    application = ApplicationInstaller(place.home / "application", disk, built_in, reads, image=version_of_image)
    installers: dict[str, Installer] = {APPLICATION: application, **({IMAGE: image.image} if image else {})}
    gate = ByKind({APPLICATION: KioskGate(kiosk, place.gate_s_max), **({IMAGE: image} if image else {})})
    house = House(
        now,
        kiosk.rest,
        gate.look,
        gate.restart,
        gate.healthy,
        _known(place),
        place.program,
        _recorder(log),
        hands,
    )
    flow = Flow(
        place.terminal_id,
        StateFile(place.home / "updates", disk),
        disk,
        house,
        installers,
        lambda: place.window,
        Download(link, place.home / "downloads", disk, place.pace, headers=_proof(place)),
    )
    trust = Trust(place.home / "tuf", place.anchor, disk, now)
    client = DdiClient(link, place.tenant, place.terminal_id, place.ddi_token)
    return Updates(client, trust, LineSource(link), flow, attributes=lambda: _running(installers))


def _running(installers: Mapping[str, Installer]) -> dict[str, str]:
    return {kind: installer.running() for kind, installer in installers.items()}


async def reads_settings(generation: Path, settings: Path) -> str:
    """Asks the new program, in a process of its own, whether it can use the settings in force: "" or why not. By its
    command, which stays, and by no name of a module, which may move."""
    command = [sys.executable, "-P", "-m", "kiosk", "settings", "--settings", str(settings)]
    env = {**os.environ, "PYTHONPATH": str(generation), "PYTHONDONTWRITEBYTECODE": "1"}
    with trio.move_on_after(READ_S_MAX):
        done = await trio.run_process(
            command, env=env, cwd="/", check=False, capture_stdout=True, capture_stderr=True, stdin=b""
        )
        if done.returncode == 0:
            return ""
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        return last.replace(str(settings), "settings")[:160] or f"status {done.returncode}"
    return "it takes too long to read them"


def _known(place: Place) -> Callable[[], Awaitable[bool | None]]:
    async def metered() -> bool | None:
        return await trio.to_thread.run_sync(place.metered)  # reads files

    return metered


def _proof(place: Place) -> dict[str, str]:
    return {"Authorization": place.ddi_token} if place.ddi_token else {}


def _recorder(log: Log) -> Callable[[Event], None]:
    def record(event: Event) -> None:
        log(f"update_{event.what}", version=event.version, why=event.why)

    return record
