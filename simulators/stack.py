"""The whole demo: devices, outside systems, glass and front panel, and the kiosk between them."""

import io
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import trio
from PIL import Image

from simulators.agent_settings import agent_settings
from simulators.bank_settings import bank_host_settings, bank_settings
from simulators.cards.card import VirtualCard
from simulators.cards.staff import VirtualStaffCard
from simulators.display import Display, open_display
from simulators.fleet.server import FleetError, FleetPlan, open_fleet
from simulators.front_panel.app import front_panel
from simulators.front_panel.front import FrontState, Piece, RackCard
from simulators.hardware import LOOPBACK, OWN_PAD, PIN_PAD, Hardware
from simulators.hosts.bank import BankHost
from simulators.hosts.sandbox import Sandbox
from simulators.kiosk_process import AGENT, FORWARD, KioskProcess, kiosk_command, kiosk_environment
from simulators.kiosk_settings import (
    as_toml,
    kiosk_settings,
    medical_insurance_settings,
    profile_of,
    typed_key_settings,
)
from simulators.offline_documents import OFFLINE_DOCUMENTS, publish
from simulators.outside import OutsideSystems
from simulators.pki import Pki, make_pki
from simulators.processes import ChildEnded, Children
from simulators.serving import serve_on_loopback
from simulators.switches import SWITCHES, FaultSwitches
from simulators.waiting import free_port
from simulators.worlds.world import Card, StaffEntry, World, load_world

SPOKEN_SHOWN = 1
SPEECH_BYTES_MAX = 4096
LOOK_AGAIN_S = 0.2
PADS = (PIN_PAD, OWN_PAD)
SERIAL, TERMINAL_ID = "DEMO-0001", "T0000001"  # on the plate of the demo's terminal; the fleet expects it


@dataclass(frozen=True)
class Plan:
    """What to start. ``panel_port`` 0 takes a free one. ``command`` replaces the kiosk, for tests of the stack."""

    world: Path
    run_dir: Path
    size_px: tuple[int, int] = (1080, 1920)
    pin_mode: str = "B"
    panel_port: int = 0
    screen_map: bool = False
    command: Sequence[str] = ()
    settings: Mapping[str, object] = field(default_factory=dict)  # laid over the kiosk's settings, table by table
    fleet: bool = False  # also the server that a province runs, beside everything else
    progress: Callable[[str], None] = lambda words: None


class Stack:
    """Implements ``front_panel.front.TerminalFront``: one method for each thing a person can do."""

    def __init__(self, plan: Plan, world: World, children: Children) -> None:
        self.plan, self.world = plan, world
        self.outside = OutsideSystems(world, plan.run_dir / "hosts", Pki(plan.run_dir / "pki"))
        self.weather = self.outside.weather
        self.hardware = Hardware(world, plan.run_dir, plan.pin_mode, self._tell)
        self.panel_port = plan.panel_port or free_port()
        self.kiosk_dir = plan.run_dir / "kiosk"
        self.display: Display
        self.kiosk: KioskProcess
        self._children = children
        self._news = trio.Event()
        self._spoken: tuple[str, ...] = ()
        self._asking: tuple[str, ...] = ()
        self._notes = self.hardware.till.front()
        self.faults: FaultSwitches
        port = free_port(2)
        self.fleet = FleetPlan(
            plan.run_dir / "fleet",
            Pki(plan.run_dir / "pki"),
            port,
            port + 1,
            terminals=0,
            expect=f"{SERIAL}={TERMINAL_ID}:{profile_of(plan.size_px)}",
        )

    @property
    def sandboxes(self) -> Mapping[str, Sandbox]:
        return self.outside.sandboxes

    @property
    def bank(self) -> BankHost:
        return self.outside.bank

    @property
    def local_facts(self) -> Path:
        """What the box says of itself; its agent lays the city's settings over it."""
        return self.plan.run_dir / "local.toml"

    @property
    def application(self) -> Path | None:
        """Where its agent installs other software; None: nobody does."""
        return self.plan.run_dir / "agent" / "application" if self.plan.fleet else None

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.panel_port}"

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Start everything; started once the kiosk serves. Runs until cancelled.

        Raises:
            ChildEnded, PcscdError, OSError, trio.TooSlowError: something did not come up.
        """
        plan, say = self.plan, self.plan.progress
        say("certificates")
        pki = make_pki(plan.run_dir / "pki")
        async with trio.open_nursery() as nursery:
            say("display")
            self.display = await open_display(self._children, plan.run_dir, *plan.size_px)
            say("card reader, PIN pad, printers, cash module, lamps")
            await nursery.start(self.hardware.run)
            say("outside systems")
            await nursery.start(self.outside.run)
            publish(pki, self.world, plan.run_dir / OFFLINE_DOCUMENTS, datetime.now().astimezone())
            settings = self._write_settings(pki)
            say("kiosk")
            self.kiosk = KioskProcess(
                self._children,
                plan.command or kiosk_command(settings, application=self.application),
                kiosk_environment(self.display.name, self.hardware.environment(), plan.screen_map),
                self.kiosk_dir,
                self._tell,
            )
            self.forwarder = KioskProcess(
                self._children,
                kiosk_command(settings, "forward", self.application),
                {},
                self.kiosk_dir / FORWARD,
                self._tell,
                "forwarder",
            )
            self.agent = KioskProcess(
                self._children,
                kiosk_command(self.local_facts, "agent", self.application),
                {},
                self.kiosk_dir / AGENT,
                self._tell,
                "agent",
            )
            processes = (self.kiosk, self.forwarder, *([self.agent] if plan.fleet else []))
            self.faults = FaultSwitches(self.hardware, self.weather, processes, self._tell)
            if plan.fleet:
                await nursery.start(self.agent.run)  # puts the settings in place that the kiosk reads
            await nursery.start(self.kiosk.run)
            if not plan.command:
                await nursery.start(self.forwarder.run)
            await nursery.start(serve_on_loopback, front_panel(self), self.panel_port)
            nursery.start_soon(self._watch)
            if plan.fleet:
                nursery.start_soon(self._run_fleet)
            task_status.started()

    async def _run_fleet(self) -> None:
        """Begun once the kiosk serves, so that nobody waits for it; without it the terminal goes on as it is."""
        try:
            await open_fleet(self._children, self.fleet)
        except (FleetError, ChildEnded, OSError, trio.TooSlowError) as error:
            self.plan.progress(f"no fleet: {error}")
        else:
            self.plan.progress(f"fleet {self.fleet.console_url}, sign in with {self.fleet.sign_in}")

    def _write_settings(self, pki: Pki) -> Path:
        tree = kiosk_settings(
            run_dir=self.kiosk_dir,
            data_dir=self.plan.run_dir / "data",
            offline_dir=self.plan.run_dir / OFFLINE_DOCUMENTS,
            size_px=self.plan.size_px,
            pin_mode=self.plan.pin_mode,
            pki=pki,
            slots=self.hardware.slots(),
            host_ports=self.outside.ports,
            medical_insurance=medical_insurance_settings(self.world),
        )
        tree["bank"] = bank_settings()
        tree["typed_keys"] = typed_key_settings(self.world)
        tree["hosts"]["bank"] = bank_host_settings(self.outside.bank_port, pki)
        tree["journal"] = self._other_copies()
        if self.plan.fleet:
            tree["agent"] = self._agent_settings(pki)
        for key, value in self.plan.settings.items():
            tree[key] = {**tree.get(key, {}), **value} if isinstance(value, Mapping) else value
        path = self.plan.run_dir / "settings.toml"
        path.unlink(missing_ok=True)
        if self.plan.fleet:
            path.symlink_to(self.plan.run_dir / "agent" / "settings" / "current" / "settings.toml")
        (self.local_facts if self.plan.fleet else path).write_text(as_toml(tree))
        return path

    def _agent_settings(self, pki: Pki) -> dict[str, Any]:
        logs = [self.plan.run_dir / "logs" / f"{name}.log" for name in ("kiosk", "forwarder", "agent")]
        return agent_settings(
            home=self.plan.run_dir / "agent",
            serial=SERIAL,
            fleet_url=self.fleet.device_url,
            console_url=self.fleet.console_url.removesuffix("/console/"),
            pki=pki,
            logs=logs,
            releases=self.fleet.releases,
        )

    def _other_copies(self) -> dict[str, Any]:
        """A card beside the disk, and the place for a stick: put in and pulled by making and removing its folder."""
        card, stick = self.plan.run_dir / "second_medium", self.plan.run_dir / "stick"
        for folder in (card, stick):
            folder.mkdir(exist_ok=True)
        return {"second_medium": str(card), "stick": str(stick), "stick_is_mount": False}

    # --- what the page sees ---------------------------------------------------------------------------------------

    @property
    def vnc_port(self) -> int:
        return self.display.vnc_port

    def state(self) -> FrontState:
        inserted = self.hardware.inserted
        return FrontState(
            world=self.world.name,
            pin_mode=self.plan.pin_mode,
            width_px=self.plan.size_px[0],
            height_px=self.plan.size_px[1],
            ready=self.kiosk.ready,
            kiosk_pid=self.kiosk.pid,
            kiosk_restarts=self.kiosk.restarts,
            cards=tuple(
                [self._rack_card(card, inserted) for card in self.world.cards]
                + [self._rack_card(card, inserted) for card in self.world.staff]
            ),
            switches=tuple(self.faults.state(name) for name in SWITCHES),
            papers=tuple(Piece(one.id, self.hardware.receipts.times[one.id], 1) for one in self.hardware.papers()),
            sheets=self.hardware.sheets.pieces(),
            asks_pin=self._asking,
            spoken=self._spoken,
            notes=self.hardware.till.front(),
            lamps=self.hardware.lamps,
        )

    def _rack_card(self, card: Card | StaffEntry, inserted: VirtualCard | VirtualStaffCard | None) -> RackCard:
        chip = self.hardware.staff[card.handle] if isinstance(card, StaffEntry) else self.hardware.cards[card.handle]
        pin = card.pin if chip.accepts_pin(card.pin) else ""
        spec = "staff" if isinstance(card, StaffEntry) else card.spec
        return RackCard(card.handle, card.title, spec, chip is inserted, pin)

    async def changed(self, seen: FrontState | None) -> FrontState:
        while (state := self.state()) == seen:
            await self._news.wait()
        return state

    def _tell(self) -> None:
        self._news.set()
        self._news = trio.Event()

    async def _watch(self) -> None:
        """Look now and then at what nobody tells of: lit pads, moving notes, the loudspeaker's file."""
        while True:
            noticed = (
                last_spoken(self.kiosk_dir / "speech.jsonl"),
                tuple(pad for pad in PADS if self.asks_pin(pad)),
                self.hardware.till.front(),
            )
            if noticed != (self._spoken, self._asking, self._notes):
                self._spoken, self._asking, self._notes = noticed
                self._tell()
            await trio.sleep(LOOK_AGAIN_S)

    # --- what a person does ---------------------------------------------------------------------------------------

    async def insert(self, handle: str) -> None:
        await self.hardware.insert(handle)

    async def pull(self) -> None:
        await self.hardware.pull()

    def press(self, key: str, pad: str = PIN_PAD) -> None:
        self.hardware.press(key, pad)

    def asks_pin(self, pad: str = PIN_PAD) -> bool:
        """Whether this pad is lit: it waits for a PIN."""
        return self.hardware.asks_pin(pad)

    async def fault(self, name: str, on: bool) -> None:
        await self.faults.set(name, on)

    def paper_png(self, number: int) -> bytes:
        return self.hardware.paper(number).png

    def sheet_png(self, number: int, page: int) -> bytes:
        return self.hardware.sheets.picture(number, page)

    def take_paper(self, number: int) -> None:
        self.hardware.take_paper(number)

    def take_sheet(self, number: int) -> None:
        self.hardware.take_sheet(number)

    def feed(self, yuan: int, kind: str = "good") -> None:
        self.hardware.till.feed(yuan, kind)

    def take_notes(self) -> None:
        self.hardware.till.take_notes()

    async def screen_png(self) -> bytes:
        return await trio.to_thread.run_sync(png, self.display.picture())


def png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=3)
    return out.getvalue()


def last_spoken(log: Path) -> tuple[str, ...]:
    """The last line of the kiosk's speech log, as words."""
    try:
        with log.open("rb") as lines:
            lines.seek(max(0, os.fstat(lines.fileno()).st_size - SPEECH_BYTES_MAX))
            last = lines.read().decode(errors="replace").strip().splitlines()[-SPOKEN_SHOWN:]
    except FileNotFoundError:
        return ()
    return tuple(str(json.loads(line).get("words", "")) for line in last if line.startswith("{"))


@asynccontextmanager
async def open_stack(plan: Plan) -> AsyncIterator[Stack]:
    """The whole stack, running, for as long as the block; nothing of it is left afterwards."""
    plan.run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    children = Children(plan.run_dir / "logs")
    try:
        stack = Stack(plan, load_world(plan.world), children)
        async with trio.open_nursery() as nursery:
            await nursery.start(stack.run)
            yield stack
            nursery.cancel_scope.cancel()
    finally:
        with trio.CancelScope(shield=True):
            await children.stop_all()
