"""The story's software: a release with one slip, who offers it, and another hall's terminal that takes it well."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from provisioning.fleet.updates.bundle import PACKAGES, build
from provisioning.fleet.updates.rehearsal import PASSPHRASE, SIGNERS
from provisioning.terminal.updates.ddi_client import DdiClient
from provisioning.terminal.updates.download import Pace
from provisioning.terminal.updates.sources import LineSource
from simulators.fleet.server import FleetPlan, fleet_command
from tests.fleet.office import Office as Program
from tests.fleet.updates.office import Office
from tests.fleet.updates.stand import Terminal
from tests.fleet.updates.test_over_nginx import link_of

HOUSE = Path(__file__).parents[3]
VERSION = "9.0.0"
ASKS, ASKS_NOTHING = "return bytes((0x10, 0x04, question))", 'return b""'


def fleet(plan: FleetPlan, *words: str) -> str:
    """One of its commands, as somebody types it on the server."""
    env = {**os.environ, "CUSTODIANS_WORDS": "", "RELEASE_PASSPHRASE": PASSPHRASE}
    done = subprocess.run(fleet_command(plan, *words), capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def bad_release(folder: Path) -> bytes:
    """This source with one slip: the receipt printer is never asked how it is, and so nobody knows."""
    for name in PACKAGES:
        shutil.copytree(HOUSE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "fleet"))
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(HOUSE / name, folder / name)
    codec = folder / "drivers/printer/escpos/codec.py"
    told = codec.read_text()
    assert told.count(ASKS) == 1
    codec.write_text(told.replace(ASKS, ASKS_NOTHING))
    return build(folder, VERSION)


def published(plan: FleetPlan, folder: Path) -> Path:
    """Signed by two people on machines of their own, and published; the file that was signed."""
    folder.mkdir()
    bundle = folder / "application.tar.gz"
    bundle.write_bytes(bad_release(folder / "tree"))
    staged = str(folder / "staged")
    fleet(plan, "release", "new", "--out", staged, "--bundle", str(bundle), "--version", VERSION)
    for name in SIGNERS:
        fleet(plan, "release", "sign", staged, "--key", str(plan.rehearsal / f"{name}.key"))
    fleet(plan, "release", "publish", staged, "--by", "operator")
    return bundle


def program(plan: FleetPlan) -> Program:
    """A build server's access."""
    told = fleet(plan, "program", "add", "--city", plan.city, "--name", "ci", "--may", "assign")
    return Program(plan, told.split(": ")[1].strip())


async def set_made(by: Program, bundle: Path) -> None:
    """Of the bundle, for people to choose."""
    named = {"name": "kiosk", "version": VERSION}
    (module,) = await by.post("softwaremodules", [{**named, "type": "application"}])
    await by.upload(module["id"], bundle.name, bundle.read_bytes())
    await by.post("distributionsets", [{**named, "type": "app", "modules": [{"id": module["id"]}]}])


def neighbour(plan: FleetPlan, folder: Path) -> Terminal:
    """Another hall's terminal: its updates, its line and its trust are real, its house is in memory and always well."""
    terminal = Terminal(folder, Office(plan.folder, now_ms=int(time.time() * 1000)))
    link = link_of(plan)
    terminal.flow.download.link, terminal.flow.download.pace = link, Pace()
    updates = terminal.updates
    updates.client, updates.source = DdiClient(link, plan.city, f"{plan.prefix}0000001"), LineSource(link)
    return terminal


async def tended(terminal: Terminal) -> None:
    """A round of its agent, and of the next one where other software was installed."""
    await terminal.updates.tend()
    if terminal.updates.flow.starts_anew:
        terminal.updates.flow.house.program = VERSION
        await terminal.updates.tend()
