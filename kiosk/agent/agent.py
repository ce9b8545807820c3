"""Composition root of the terminal's agent: it asks the fleet what is wanted of this terminal, and tells how it is.

A small process and user of its own; it opens no device and no journal. What it changes it changes by asking kiosk and
forwarder over their sockets. Nothing listens on the network's side.
"""

import random
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import trio

from kiosk.agent.enrolment import WayIn
from kiosk.agent.image import built_in, open_image
from kiosk.basics.control import agent_path, serve_control
from kiosk.basics.log import JsonLog
from kiosk.basics.signals import end_on_signal
from kiosk.basics.watchdog import feed_watchdog
from kiosk.hosts.link import HttpsHostLink
from kiosk.records.metrics import show_figures
from kiosk.settings.agent_rules import AgentRules
from kiosk.settings.config import ConfigError, Settings, load_settings
from provisioning.rules.enrolment import Welcome
from provisioning.rules.poll import PollAnswer
from provisioning.rules.update_window import Window, line_is_metered
from provisioning.terminal.acts import Acts
from provisioning.terminal.bodies import Bodies
from provisioning.terminal.clock import TerminalClock
from provisioning.terminal.commands import CommandBook, Commands
from provisioning.terminal.desired import DesiredState
from provisioning.terminal.desired import Identity as Who
from provisioning.terminal.disk import Disk
from provisioning.terminal.enrolment.enrol import Enrolment
from provisioning.terminal.enrolment.identity import Known
from provisioning.terminal.epoch import Remembers
from provisioning.terminal.figures import exposition
from provisioning.terminal.generations import Generations
from provisioning.terminal.health import HealthTeller
from provisioning.terminal.house import House
from provisioning.terminal.key_blocks import KeyBlocks
from provisioning.terminal.ledger_line import NOT_YET, LedgerLine
from provisioning.terminal.machine import Board
from provisioning.terminal.poll import Polling
from provisioning.terminal.privileged import NoPrivileged, Privileged, PrivilegedFolder
from provisioning.terminal.trust import TRUST_FOLDER, Believed
from provisioning.terminal.updates.download import Pace
from provisioning.terminal.updates.image_gate import ImageGate
from provisioning.terminal.updates.tending import Place, Tending

EX_CONFIG = 78  # sysexits(3)
ASK_BYTES_MAX = 256 * 1024  # fifty rows for the ledger, quoted twice


@dataclass
class Box:
    """What every part of the agent works with on this terminal. ``local``: the box's own facts, TOML."""

    local: Path
    settings: Settings
    log: JsonLog = field(default_factory=JsonLog)
    disk: Disk = field(default_factory=Disk)
    chance: Callable[[], float] = random.random

    @property
    def rules(self) -> AgentRules:
        return self.settings.agent

    @property
    def home(self) -> Path:
        return Path(self.rules.home)

    @property
    def house(self) -> House:
        return House(self.settings.run_dir, self.settings.data_dir)

    clock: TerminalClock | None = None

    def now(self) -> datetime:
        return self.clock.now() if self.clock else datetime.now(UTC)


def obey_agent(local: Path) -> int:
    """The exit status. ``local``: settings file with the box's own facts; the kiosk reads HOME/settings/current."""
    try:
        settings = load_settings(local)
        if not (settings.agent.home and settings.agent.url and settings.agent.serial):
            raise ConfigError(f"{local}: [agent] names home, url and serial, else there is no agent here")
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EX_CONFIG
    trio.run(run_agent, Box(local, settings))
    return 0


async def run_agent(box: Box) -> None:
    """Until SIGTERM or SIGINT.

    Raises:
        OSError: this machine's disk.
    """
    run_dir = agent_path(box.settings.run_dir).parent
    for folder in (run_dir, box.home):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    way_in = WayIn(box.settings, box.disk, _privileged(box), box.log)
    enrolment = way_in.enrolment
    box.clock = way_in.clock
    told: dict[str, Any] = {"polling": None, "tending": None}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(end_on_signal, nursery.cancel_scope)
        answers = _answers(enrolment, told)
        await nursery.start(serve_control, agent_path(box.settings.run_dir), answers, _takes(told), ASK_BYTES_MAX)
        await way_in.clock.settle()
        nursery.start_soon(way_in.clock.keep)
        settings = _desired(box, _anonymous(box), way_in.link(None))
        await settings.settle()
        nursery.start_soon(settings.have_it_read)
        nursery.start_soon(feed_watchdog, run_dir / "ready")
        try:
            known, welcome = await enrolment.become_known()
            polling = told["polling"] = _polling(box, way_in, known, welcome, nursery.cancel_scope.cancel)
            if box.rules.metrics_port:
                await show_figures(nursery, box.rules.metrics_port, _figures(polling), box.log)
            await polling.desired.settle()
            image = _image(box, polling)
            tending = told["tending"] = _tending(box, known, polling, image)
            if image is not None:
                nursery.start_soon(image.confirm)
            nursery.start_soon(way_in.keep_certificate, polling.heard, lambda: polling.heard.renew, box.house)
            nursery.start_soon(_work, polling, tending, nursery.cancel_scope.cancel)
            await trio.sleep_forever()
        finally:
            (run_dir / "ready").unlink(missing_ok=True)


async def _work(polling: Polling, tending: Tending | None, end: Callable[[], None]) -> None:
    """What an earlier life left comes first, one thing at a time; the fleet hears of it meanwhile. ``end``: other
    software was installed, and this process is to start anew as that."""
    async with trio.open_nursery() as nursery:
        await nursery.start(_hold_hands, polling)
        nursery.start_soon(polling.run)
        if tending is not None:
            polling.errands = (*polling.errands, tending.errand)
            await tending.run()
            end()


async def _hold_hands(polling: Polling, task_status: trio.TaskStatus[None]) -> None:
    async with polling.hands:
        task_status.started()
        await polling.desired.resume()
        await polling.commands.settle()
    polling.sooner()


def _polling(box: Box, way_in: WayIn, known: Known, welcome: Welcome, end: Callable[[], None]) -> Polling:
    """``end``: this process, which knows what the box has forgotten."""
    link, life = way_in.link(known), way_in.identity.begin_life()
    believed = Believed.since(welcome, way_in.identity.folder / TRUST_FOLDER, box.disk, _why(box.log))
    keys = believed.keys
    who = Who(known.tenant, known.terminal_id, keys)
    desired = _desired(box, who, link)
    board = Board(Path(box.settings.data_dir))
    acts = Acts(box.house, link, who.base, _privileged(box), box.rules.log_command)
    book = CommandBook(box.home / "commands.json", box.disk)
    commands = Commands(who, book, box.house, acts.all, box.now, box.log, board.boot_id)
    commands.after = {"wipe": partial(_forget, box, way_in, end)}
    health = HealthTeller(
        house=box.house,
        board=board,
        history=box.home / "history.json",
        disk=box.disk,
        now=box.now,
        capacities=box.rules.capacities,
        versions={"agent": version("yikatong")},
        troubles=lambda: [desired.trouble] if desired.trouble else [],
    )
    remembers = Remembers(box.home, box.disk, known.tenant, believed.approvers, keys, box.now, _why(box.log))
    blocks = KeyBlocks(link, who.base, known.terminal_id, keys, box.house.load_key, box.now, box.log)
    polling = Polling(link, life, health, desired, commands, box.now, box.chance, box.log)
    polling.sleep_s_max = box.rules.poll_s_max

    async def remember(answer: PollAnswer) -> None:
        await remembers.follow(answer, link, who.base)
        _live_in(polling, remembers)

    _live_in(polling, remembers)

    async def believe(answer: PollAnswer) -> None:
        await believed.follow(answer, link, who.base)
        polling.desired.trust = believed.number

    polling.desired.trust = believed.number
    polling.first, polling.errands = believe, (blocks.take, remember)
    return polling


def _live_in(polling: Polling, remembers: Remembers) -> None:
    polling.epoch = polling.desired.epoch = remembers.epoch
    polling.memo = remembers.memo


def _why(log: JsonLog) -> Callable[[str], None]:
    return lambda why: log("fleet_document_refused", why=why)


def _image(box: Box, polling: Polling) -> ImageGate | None:
    """Of a machine with two slots; the fleet hears which one runs, and that one went back."""
    heard = polling.heard
    gate = open_image(box.rules, box.house, _privileged(box), lambda: bool(heard.polls and not heard.failures), box.log)
    if gate is not None:
        health, image, others = polling.health, gate.image, polling.health.troubles
        health.versions = {**health.versions, "image": image.running()}
        health.troubles = lambda: [*others(), *([image.fell] if image.fell else [])]
    return gate


def _tending(box: Box, known: Known, polling: Polling, image: ImageGate | None) -> Tending | None:
    rules = box.rules
    if not rules.releases:
        return None
    board = Board(Path(box.settings.data_dir))
    place = Place(
        home=box.home,
        anchor=Path(rules.releases),
        tenant=known.tenant,
        terminal_id=known.terminal_id,
        settings=polling.desired.generations.current / "settings.toml",
        window=Window(begins=rules.update_begins, ends=rules.update_ends),
        pace=Pace(bytes_per_s_max=rules.update_bytes_per_s),
        metered=lambda: line_is_metered(rules.metered, polling.desired.generations.desired(), board.metered),
        gate_s_max=rules.gate_s_max,
        program=version("yikatong"),
        stick=Path(rules.stick or box.settings.journal.stick or "/nowhere"),
        privileged=_privileged(box),
    )
    link = polling.desired.link
    assert isinstance(link, HttpsHostLink), "made here"
    now = lambda: box.now().astimezone()  # noqa: E731 - the place's own hour
    return Tending.open(place, link, box.house, built_in(), now, box.log, polling.hands, image)


async def _forget(box: Box, way_in: WayIn, end: Callable[[], None]) -> None:
    """Wiped, and the fleet has heard it: the last that makes this box a terminal goes, its certificate first. Then this
    process ends where it stands: it would write down again what it still remembers, and ask as who it was."""
    await trio.to_thread.run_sync(way_in.identity.forget)
    for name in ("settings", "bodies", "history.json", "commands.json"):  # the last says that not all is done
        box.disk.remove(box.home / name)
    end()
    await trio.lowlevel.checkpoint()


def _desired(box: Box, who: Who, link: HttpsHostLink) -> DesiredState:
    return DesiredState(
        identity=who,
        link=link,
        generations=Generations(box.home, box.disk),
        bodies=Bodies(link, who.base, box.home / "bodies", box.disk),
        house=box.house,
        local=box.local,
        rules=box.rules,
        now=box.now,
        log=box.log,
        program=version("yikatong"),
    )


def _anonymous(box: Box) -> Who:
    """Before the fleet knows it, a terminal has its own facts and no city's."""
    return Who("", box.settings.terminal.terminal_id, {})


def _privileged(box: Box) -> Privileged:
    return PrivilegedFolder(Path(box.rules.privileged), box.disk) if box.rules.privileged else NoPrivileged()


def _answers(enrolment: Enrolment, told: dict[str, Any]) -> dict[str, Callable[[], Awaitable[Any]]]:
    """On the agent's own socket, for doctor and the staff page."""

    async def standing() -> dict[str, Any]:
        return enrolment.standing.told()

    async def fleet() -> dict[str, Any]:
        polling: Polling | None = told["polling"]
        if polling is None:
            return {
                "enrolled": False,
                "heard": "",
                "trouble": enrolment.standing.said,
                "settings": 0,
                "waits": "",
                "polls": 0,
            }
        return {
            "enrolled": True,
            "heard": polling.heard.at,
            "trouble": polling.heard.trouble,
            "settings": polling.desired.version,
            "waits": polling.desired.trouble,
            "polls": polling.heard.polls,
        }

    async def updates() -> dict[str, Any]:
        tending: Tending | None = told["tending"]
        return tending.told() if tending else {"running": version("yikatong")}

    async def stick() -> dict[str, Any]:
        tending: Tending | None = told["tending"]
        return tending.bring_stick() if tending else {"stick": "none"}

    async def poll() -> str:
        """Somebody stands there and waits: the next question comes now."""
        if told["polling"] is None:
            return "not enrolled"
        told["polling"].sooner()
        return "asking"

    async def ledger_kept() -> dict[str, Any]:
        ledger = _ledger(told)
        return await ledger.kept() if ledger else NOT_YET

    async def ledger_word() -> dict[str, Any]:
        ledger = _ledger(told)
        return await ledger.word() if ledger else NOT_YET

    return {
        "standing": standing,
        "fleet": fleet,
        "poll": poll,
        "updates": updates,
        "stick": stick,
        "ledger_kept": ledger_kept,
        "ledger_word": ledger_word,
    }


def _takes(told: dict[str, Any]) -> dict[str, Callable[[str], Awaitable[Any]]]:
    """What the forwarder brings."""

    async def ledger_rows(batch: str) -> dict[str, Any]:
        ledger = _ledger(told)
        return await ledger.rows(batch) if ledger else NOT_YET

    return {"ledger_rows": ledger_rows}


def _ledger(told: dict[str, Any]) -> LedgerLine | None:
    """None: the fleet does not know this terminal yet."""
    polling: Polling | None = told["polling"]
    return LedgerLine(polling.link, polling.desired.identity.terminal_id) if polling else None


def _figures(polling: Polling) -> Callable[[], Awaitable[str]]:
    async def text() -> str:
        return exposition(polling)

    return text
