"""A stock DDI client, Debian's SWUpdate, against the real fleet behind a real nginx: nobody here wrote its half."""

import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trio

from simulators.alone.hawkbit import serve_hawkbit
from simulators.fleet.server import FleetPlan, fleet_command
from simulators.hosts.hawkbit import Hawkbit
from simulators.pki import make_pki
from simulators.processes import Child, Children
from simulators.waiting import came_true, free_port
from tests.fleet.front import pem_of, running_fleet
from tests.fleet.office import Office, open_office
from tests.fleet.swupdate import BOARD, Signer, StockClient, package

pytestmark = pytest.mark.slow

WAIT_S = 40.0
CONTENT = b"what a stock client is to install\n" * 1000
TOKEN = "a-secret-of-a-stock-client"
ENDED = ("finished", "error", "canceled")


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="yks"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@dataclass
class Yard:
    """A fleet, a program that manages it, and one device with SWUpdate."""

    plan: FleetPlan
    nginx: Child
    children: Children
    office: Office
    device: StockClient
    signer: Signer
    folder: Path

    @property
    def number(self) -> str:
        return f"{self.plan.prefix}0000001"

    @property
    def installed(self) -> Path:
        return self.folder / "installed.bin"

    async def give(self, version: str, content: bytes = CONTENT, told_hash: str = "") -> int:
        """The number of the action."""
        made = package(self.folder / f"package-{version}", self.signer, content, self.installed, told_hash=told_hash)
        _, chosen = await self.office.make_set(version, f"software-{version}.swu", made)
        return await self.office.assign(self.number, chosen)

    async def until_told(self, action: int, words: str) -> list[dict[str, Any]]:
        """What was told of ``action`` once ``words`` are the status of a row or stand in one."""
        with trio.fail_after(WAIT_S):
            while True:
                rows = await self.office.told_of(self.number, action)
                if any(words == row["type"] or words in " ".join(row["messages"]) for row in rows):
                    return rows
                await trio.sleep(0.2)

    def throttle(self, speed: str) -> None:
        """A slow line: so many bytes a second of an answer, from the next one on."""
        written = self.plan.folder / "nginx" / "nginx.conf"
        before = "    sendfile on;\n"
        assert before in written.read_text()
        written.write_text(written.read_text().replace(before, f"{before}    limit_rate {speed};\n"))
        os.kill(self.nginx.pid, signal.SIGHUP)

    async def status(self, action: int) -> str:
        told = await self.office.get(f"targets/{self.number}/actions/{action}")
        return str(told["detailStatus"])


@asynccontextmanager
async def yard(folder: Path) -> AsyncIterator[Yard]:
    async with running_fleet(folder) as (fleet, children):
        plan, signer = fleet.plan, Signer(folder)
        authority = plan.pki.certificate("fleet-ca")
        device = StockClient(folder / "device", signer, plan.device_url, plan.city, f"{plan.prefix}0000001", authority)
        device.show_certificate(pem_of(plan))
        yield Yard(plan, fleet.nginx, children, await open_office(plan), device, signer, folder)


def listens_on_network(child: Child) -> list[str]:
    """Sockets of TCP and UDP in the process group that belong to nobody's connection."""
    mine = {str(link.readlink()) for pid in _group(child.pid) for link in Path(f"/proc/{pid}/fd").iterdir()}
    found = []
    for table, listening in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        rows = [line.split() for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
        found += [row[1] for row in rows if row[3] == listening and f"socket:[{row[9]}]" in mine]
    return found


def _group(leader: int) -> list[int]:
    pids = [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit()]
    return [pid for pid in pids if _group_of(pid) == leader]


def _group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


async def test_from_the_management_call_to_the_file(folder: Path) -> None:
    """With its certificate it tells what it is, installs the set that a program made, tells each step, and closes the
    action once it came up again; the fleet has every word, and the file is the one that was uploaded."""
    async with yard(folder) as here:
        action = await here.give("1.0")
        life = await here.device.start(here.children)
        with trio.fail_after(WAIT_S):
            while await here.office.get(f"targets/{here.number}/attributes") != {"board": BOARD}:
                await trio.sleep(0.2)
        assert listens_on_network(life) == []
        assert not here.installed.exists()
        await here.device.ask_now()
        rows = await here.until_told(action, "All Chunks Installed.")
        assert here.installed.read_bytes() == CONTENT
        assert [row["type"] for row in rows[:3]] == ["running", "retrieved", "running"]
        assert {row["type"] for row in rows[2:]} == {"running"} and await here.status(action) == "running"
        assert any("SWUPDATE successful !" in row["messages"] for row in rows)
        assert all(abs(row["timestamp"] - row["reportedAt"]) < 5000 for row in rows)  # it tells no time of its own
        await here.children.stop(life)
        again = await here.device.start(here.children, told=("-c", "2"))  # as a start of the machine that went well
        rows = await here.until_told(action, "finished")
        assert rows[-1]["messages"] == ["Update Installed."] and await here.status(action) == "finished"
        installed = await here.office.get(f"targets/{here.number}/installedDS")
        assert (installed["name"], installed["version"]) == ("software", "1.0")
        await here.children.stop(again)


async def test_what_cannot_be_installed(folder: Path) -> None:
    """A file that is not what the signed description says is a failure with the reason, and nothing is installed; the
    next action of the same device goes well."""
    async with yard(folder) as here:
        action = await here.give("1.0", told_hash="11" * 32)
        life = await here.device.start(here.children)
        await here.device.ask_now()
        rows = await here.until_told(action, "error")
        assert await here.status(action) == "error"
        assert rows[-1]["messages"][-1] == "No suitable .swu image found"  # behind what it had not told yet
        assert any("HASH mismatch" in words for row in rows for words in row["messages"])
        assert not here.installed.exists()
        better = await here.give("1.1")
        await here.until_told(better, "All Chunks Installed.")
        assert here.installed.read_bytes() == CONTENT
        await here.children.stop(life)


async def test_cancelled_before_and_while_it_loads(folder: Path) -> None:
    """An action that is taken back before the device looked, and one in the midst of its download, both end as
    canceled by the device's own word, and nothing is installed."""
    async with yard(folder) as here:
        early = await here.give("1.0")
        await here.office.delete(f"targets/{here.number}/actions/{early}")
        life = await here.device.start(here.children)
        rows = await here.until_told(early, "canceled")
        assert rows[-1]["messages"] == ["cancellation acknowledged."]
        here.throttle("20k")
        late = await here.give("1.1", os.urandom(1_000_000))  # fifty seconds at that speed
        await here.device.ask_now()
        await here.until_told(late, "Installing Update Chunk Artifacts.")
        await here.office.delete(f"targets/{here.number}/actions/{late}")
        rows = await here.until_told(late, "canceled")
        assert rows[-1]["messages"] == ["cancellation acknowledged."]
        assert [await here.status(one) for one in (early, late)] == ["canceled"] * 2
        assert not here.installed.exists()
        await here.children.stop(life)


async def test_with_a_token(folder: Path) -> None:
    """In a city that takes stock clients a device that a program registered comes with its token and no certificate;
    another token opens nothing, and once the city takes none any more, neither does the right one."""
    async with yard(folder) as here:
        plan = here.plan
        for takes in ("on", "off", "on"):
            words = ("city", "set", "--code", plan.city, "--target-tokens", takes)
            await trio.run_process(fleet_command(plan, *words), capture_stdout=True)
        await here.office.post("targets", [{"controllerId": "STOCK1", "securityToken": TOKEN}])
        authority = plan.pki.certificate("fleet-ca")
        device = StockClient(folder / "stock", here.signer, plan.device_url, plan.city, "STOCK1", authority)
        device.show_token("another-secret-of-a-client")
        life = await device.start(here.children)
        refused = await came_true(lambda: b"404" in life.log.read_bytes(), WAIT_S)
        assert refused and await here.office.get("targets/STOCK1/attributes") == {}
        await here.children.stop(life)
        device.show_token(TOKEN)
        life = await device.start(here.children)
        with trio.fail_after(WAIT_S):
            while await here.office.get("targets/STOCK1/attributes") != {"board": BOARD}:
                await trio.sleep(0.2)
        assert (await here.office.get("targets/STOCK1"))["lastControllerRequestAt"] > 0
        await here.children.stop(life)


async def test_the_counterpart_satisfies_a_stock_client(folder: Path) -> None:
    """The server in hawkBit's shape that our own client is tested against: a stock client installs from it, tells it
    the end, and acknowledges a cancelation."""
    pki, port, signer = make_pki(folder / "pki"), free_port(), Signer(folder)
    hawkbit = Hawkbit(base=f"https://127.0.0.1:{port}", target_token=TOKEN, sleep="00:00:01")
    children = Children(folder / "logs")
    goes_to = folder / "installed.bin"
    made = package(folder / "package", signer, CONTENT, goes_to)
    taken_back = hawkbit.offer("D1", "0.9", "software.swu", made)
    hawkbit.cancel(taken_back)
    action = hawkbit.offer("D1", "1.0", "software.swu", made)
    device = StockClient(folder / "device", signer, hawkbit.base, "DEFAULT", "D1", pki.hosts_ca)
    device.show_token(TOKEN)
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(serve_hawkbit, hawkbit, port, pki)
            life = await device.start(children)
            assert await came_true(lambda: taken_back.status in ENDED, WAIT_S) and taken_back.status == "canceled"
            assert await came_true(lambda: goes_to.exists() and len(action.history) >= 4, WAIT_S)
            assert goes_to.read_bytes() == CONTENT and hawkbit.attributes["D1"] == {"board": BOARD}
            await children.stop(life)
            await device.start(children, told=("-c", "2"))
            assert await came_true(lambda: action.status in ENDED, WAIT_S) and action.status == "finished"
            assert set(action.told[:-1]) == {"proceeding"} and action.told[-1] == "closed"
            nursery.cancel_scope.cancel()
    finally:
        with trio.CancelScope(shield=True):
            await children.stop_all()
