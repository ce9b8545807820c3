"""One update over the real thing: two people's signatures, the fleet's server, nginx, mutual TLS, and a broken line."""

import json
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from kiosk.hosts.link import HttpsHostLink
from kiosk.ports import Part
from kiosk.settings.config import HostSettings
from provisioning.terminal.updates.ddi_client import DdiClient
from provisioning.terminal.updates.download import Pace
from provisioning.terminal.updates.sources import LineSource
from simulators.fleet.server import FleetPlan, start_nginx
from tests.fleet.front import pem_of, running_fleet
from tests.fleet.office import open_office
from tests.fleet.updates.bundles import FILES, manifest, packed
from tests.fleet.updates.office import Office
from tests.fleet.updates.stand import Terminal

NOISE = {**FILES, "kiosk/more.json": Random(3).randbytes(600_000)}


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, as UNIX sockets want."""
    made = Path(tempfile.mkdtemp(prefix="yku"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@dataclass
class Watched:
    """Implements ``HostLink`` and ``DocumentLink`` by the real one; remembers the pieces."""

    link: HttpsHostLink
    pieces: list[tuple[int, int]] = field(default_factory=list)

    async def call(self, method: str, path: str, **more: Any) -> Any:
        return await self.link.call(method, path, **more)

    async def fetch_part(self, path: str, *, first: int = 0, bytes_max: int, **more: Any) -> Part | None:
        part = await self.link.fetch_part(path, first=first, bytes_max=bytes_max, **more)
        if part is not None and "/artifacts/" in path:
            self.pieces.append((part.first, len(part.content)))
        return part


def link_of(plan: FleetPlan, number: int = 1) -> HttpsHostLink:
    pem = str(pem_of(plan, number))
    ca = str(plan.pki.certificate("fleet-ca"))
    settings = HostSettings(url=plan.device_url, ca=ca, certificate=pem, private_key=pem, deadline_s=20.0)
    return HttpsHostLink("fleet", settings, lambda event, **fields: None)


async def offered(plan: FleetPlan, content: bytes) -> None:
    """By a program with the right to, as a build server would."""
    program = await open_office(plan)
    _, chosen = await program.make_set("1.0.0", "app.tar", content)
    await program.assign(f"{plan.prefix}0000001", chosen)


async def _documents(plan: FleetPlan, link: HttpsHostLink) -> None:
    """What is missing is missing, what is too long is cut, and what changed comes from its beginning."""
    (plan.folder / "public" / "tuf" / "long.json").write_bytes(b"x" * 40_000)
    assert await link.fetch_part("/tuf/9.root.json", bytes_max=100) is None
    head = await link.fetch_part("/tuf/long.json", bytes_max=100)
    assert head is not None
    assert (len(head.content), head.ended, head.total_bytes, head.first) == (100, False, 40_000, 0)
    rest = await link.fetch_part("/tuf/long.json", first=39_950, bytes_max=100, etag=head.etag)
    assert rest is not None
    assert (len(rest.content), rest.ended, rest.first) == (50, True, 39_950)
    changed = await link.fetch_part("/tuf/long.json", first=100, bytes_max=100, etag='"another"')
    assert changed is not None
    assert (changed.first, changed.ended) == (0, False)


async def test_update_over_nginx_with_a_broken_line(folder: Path) -> None:
    """The line breaks in the middle of the file; what came is kept, the rest comes, and the fleet hears the end."""
    content = packed({"manifest.json": json.dumps(manifest("1.0.0", NOISE)).encode(), **NOISE})
    async with running_fleet(folder) as (fleet, children):
        plan = fleet.plan
        office = Office(plan.folder)
        office.begin()
        office.release("1.0.0", content)
        await offered(plan, content)
        link = Watched(link_of(plan))
        await _documents(plan, link.link)
        terminal = Terminal(folder / "terminal", office)
        terminal.flow.download.link, terminal.flow.download.pace = link, Pace(piece_bytes_max=128 << 10, rest_s=0.05)
        updates = terminal.updates
        updates.client, updates.source = DdiClient(link, plan.city, f"{plan.prefix}0000001"), LineSource(link)

        def pull(received: int) -> None:
            if received > 150_000:
                fleet.nginx.signal_group(signal.SIGKILL)

        terminal.flow.download.told = pull
        await updates.tend()
        came = sum(length for _, length in link.pieces)
        assert 150_000 < came < len(content)
        assert terminal.installer.running() == "0.9.0"
        terminal.flow.download.told = lambda received: None
        await start_nginx(children, plan)
        await updates.tend()
        assert updates.flow.starts_anew
        updates.flow.house.program = "1.0.0"  # the agent's process ended, and is the new one
        await updates.tend()
        assert terminal.installer.running() == "1.0.0"
        assert sum(length for _, length in link.pieces) == len(content)
        assert not updates.busy
        root = await updates.client.root()
        assert "deploymentBase" not in root.links
        link.link.close()
