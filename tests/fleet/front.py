"""A real fleet behind a real nginx, for tests: processes of their own on loopback, and a client with certificates."""

import http.client
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from simulators.fleet.server import FleetPlan, RunningFleet, open_fleet
from simulators.pki import make_pki
from simulators.processes import Children
from simulators.waiting import free_port

WAIT_S = 10.0


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@asynccontextmanager
async def running_fleet(folder: Path, **more: Any) -> AsyncIterator[tuple[RunningFleet, Children]]:
    """``folder``: short, as UNIX sockets want. ``more``: of ``FleetPlan``."""
    children = Children(folder / "logs")
    port = free_port(2)
    given = {"terminals": 2, "people": False, **more}
    plan = FleetPlan(folder / "f", make_pki(folder / "pki"), port, port + 1, **given)
    try:
        yield await open_fleet(children, plan), children
    finally:
        with trio.CancelScope(shield=True):
            await children.stop_all()


def context(plan: FleetPlan, pem: Path | None) -> ssl.SSLContext:
    """Trusts the fleet's own certificate; shows ``pem`` (key and certificate)."""
    made = ssl.create_default_context(cafile=str(plan.pki.certificate("fleet-ca")))
    if pem is not None:
        made.load_cert_chain(pem)
    return made


async def ask(
    plan: FleetPlan,
    method: str,
    path: str,
    *,
    pem: Path | None = None,
    port: int = 0,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    wait_s: float = WAIT_S,
) -> Reply:
    """One question over a connection of its own; ``port`` 0 is the terminals' face. ``wait_s``: for each of its
    steps."""

    def exchange() -> Reply:
        line = http.client.HTTPSConnection(
            "127.0.0.1", port or plan.device_port, timeout=wait_s, context=context(plan, pem)
        )
        try:
            line.request(method, path, body, headers or {})
            answer = line.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            line.close()

    return await trio.to_thread.run_sync(exchange)


def poll_path(plan: FleetPlan, number: int = 1) -> str:
    return f"/{plan.city}/terminal/v1/{plan.prefix}{number:07d}/poll"


def pem_of(plan: FleetPlan, number: int = 1) -> Path:
    return plan.rehearsal / f"{plan.prefix}{number:07d}.pem"
