"""Starts the fleet's server behind nginx on loopback: as an installer would, by its own commands."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import trio

from simulators.kiosk_settings import as_toml
from simulators.pki import Pki
from simulators.processes import Child, Children
from simulators.waiting import until_child, until_listening

NGINX = "/usr/sbin/nginx"
READY_S_MAX = 30.0
LOOPBACK = "127.0.0.1"
FURNISHED = "furnished"  # written last: a set-up that was cut off starts again


class FleetError(Exception):
    """It did not come up; the message says why."""


@dataclass(frozen=True)
class FleetPlan:
    """``terminals``: rows to make, the first ``certificates`` of them with a certificate and key in ``rehearsal``.
    ``expect``: SERIAL=NUMBER[:PROFILE] of one that enrols by itself. ``more``: laid over the fleet's settings."""

    folder: Path
    pki: Pki
    device_port: int
    console_port: int
    database: str = ""
    processes: int = 1
    terminals: int = 1
    certificates: int = 1000
    prefix: str = "T"
    people: bool = True
    city: str = "demo-city"
    workers: int = 1
    expect: str = ""
    more: Mapping[str, object] = field(default_factory=dict)

    @property
    def settings(self) -> Path:
        return self.folder / "fleet.toml"

    @property
    def rehearsal(self) -> Path:
        """Keys and certificates of terminals, ``terminals.txt`` and ``first-sign-in.txt``."""
        return self.folder / "rehearsal"

    @property
    def sign_in(self) -> Path:
        """Who may sign in at the console of a rehearsal, with the first password and second factor of each."""
        return self.rehearsal / "first-sign-in.txt"

    @property
    def releases(self) -> Path:
        """The first root of who signs software, as a terminal's image has it."""
        return self.folder / "public" / "tuf" / "1.root.json"

    @property
    def sockets(self) -> list[Path]:
        home = self.folder / "home"
        return [home / "fleet.sock", *(home / f"fleet-{number}.sock" for number in range(2, self.processes + 1))]

    @property
    def device_url(self) -> str:
        return f"https://{LOOPBACK}:{self.device_port}"

    @property
    def console_url(self) -> str:
        return f"https://{LOOPBACK}:{self.console_port}/console/"


@dataclass
class RunningFleet:
    plan: FleetPlan
    servers: list[Child]
    nginx: Child


async def open_fleet(children: Children, plan: FleetPlan) -> RunningFleet:
    """Running and answering when it returns; ends with ``children``.

    Raises:
        FleetError, ChildEnded, OSError, trio.TooSlowError: it did not come up.
    """
    await trio.to_thread.run_sync(furnish, plan)
    servers = [start_server(children, plan, number) for number in range(1, plan.processes + 1)]
    for server, path in zip(servers, plan.sockets, strict=True):
        await until_child(server, path.is_socket, READY_S_MAX, f"made {path.name}")
    return RunningFleet(plan, servers, await start_nginx(children, plan))


def start_server(children: Children, plan: FleetPlan, number: int = 1) -> Child:
    plan.sockets[number - 1].unlink(missing_ok=True)  # of an earlier life; made anew once it listens
    return children.start(f"fleet-{number}", fleet_command(plan, "serve", "--process", str(number)))


async def start_nginx(children: Children, plan: FleetPlan) -> Child:
    folder = plan.folder / "nginx"
    child = children.start("fleet-nginx", [NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    for port in (plan.device_port, plan.console_port):
        await until_listening(port, child, READY_S_MAX)
    return child


def fleet_command(plan: FleetPlan, *words: str) -> list[str]:
    return [sys.executable, "-m", "provisioning.fleet", "--settings", str(plan.settings), *words]


def furnish(plan: FleetPlan) -> None:
    """Settings, nginx's configuration, and once a city with people and terminals.

    Raises:
        FleetError.
    """
    plan.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    plan.settings.write_text(as_toml(_settings(plan)))
    _must(fleet_command(plan, "nginx", "--folder", str(plan.folder / "nginx")))
    done = plan.folder / FURNISHED
    if done.exists():
        return
    people = ["--people"] if plan.people else []
    counts = ["--terminals", str(plan.terminals), "--certificates", str(plan.certificates), "--prefix", plan.prefix]
    expect = ["--expect", plan.expect] if plan.expect else []
    out = ["--city", plan.city, "--out", str(plan.rehearsal)]
    _must(fleet_command(plan, "rehearse", *out, *people, *expect, *counts))
    done.touch()


def _settings(plan: FleetPlan) -> dict[str, object]:
    tree: dict[str, object] = {
        "home": str(plan.folder / "home"),
        "public": str(plan.folder / "public"),
        "database": plan.database,
        "processes": plan.processes,
        "device_url": plan.device_url,
        "console_url": plan.console_url.removesuffix("/console/"),
        # Terminals of the sandbox know this key for documents; a city gives its ledger one of its own.
        "ledger_key": f"agency={plan.pki.key('documents')}",
        "front": {
            # By chance, not to whoever was idle: where lines stand, each worker may have only so many.
            "device_listen": f"{LOOPBACK}:{plan.device_port}{' reuseport' if plan.workers > 1 else ''}",
            "console_listen": f"{LOOPBACK}:{plan.console_port}",
            "certificate": str(plan.pki.certificate("fleet")),
            "key": str(plan.pki.key("fleet")),
            "user": _user(),
            "workers": plan.workers,
        },
    }
    return {**tree, **plan.more}


def _user() -> str:
    """nginx's workers must reach the socket in a private folder: they stay who we are."""
    return subprocess.run(["/usr/bin/id", "-un"], capture_output=True, text=True, check=True).stdout.strip()


def _must(command: Sequence[str]) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise FleetError((answer.stderr or answer.stdout)[-1000:])
