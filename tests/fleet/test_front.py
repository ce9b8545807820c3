"""The whole front: nginx with mutual TLS before real processes of the fleet."""

import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import apsw
import psycopg
import pytest
import trio

from simulators.fleet.server import FleetPlan, start_nginx, start_server
from simulators.waiting import until_child
from tests.fleet.front import ask, context, pem_of, poll_path, running_fleet
from tests.fleet.office import open_office

CONTENT = bytes(range(256)) * 4_000


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="ykf"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def serial_of(plan: FleetPlan, number: int) -> str:
    return (plan.rehearsal / "terminals.txt").read_text().split()[2 * number - 1]


def _stranger(plan: FleetPlan, folder: Path) -> Path:
    """A certificate of an authority that the fleet does not know."""
    pem = folder / "stranger.pem"
    pem.write_bytes(plan.pki.terminal_key.read_bytes() + plan.pki.terminal_certificate.read_bytes())
    return pem


def _cut_off(plan: FleetPlan, path: str) -> bytes:
    """The beginning of a file, until the terminal's line breaks."""
    with socket.create_connection(("127.0.0.1", plan.device_port), 10) as bare:
        with context(plan, pem_of(plan)).wrap_socket(bare, server_hostname="localhost") as line:
            line.sendall(f"GET {path} HTTP/1.1\r\nHost: fleet\r\n\r\n".encode())
            got = b""
            while len(got) < 100_000:
                got += line.recv(65_536)
            return got.partition(b"\r\n\r\n")[2]


async def test_mutual_tls(folder: Path) -> None:
    """A certificate opens its terminal's paths; none, a stranger's, another's and a caller's own headers open nothing.
    People's face takes no terminal, the terminals' face shows no page."""
    async with running_fleet(folder) as (fleet, _):
        plan = fleet.plan
        mine = await ask(plan, "POST", poll_path(plan), pem=pem_of(plan), body=b"{}")
        assert mine.status == 200 and mine.json()["sleep_s"] == 300.0 and "date" in mine.headers
        lies = {"X-Client-Verify": "SUCCESS", "X-Client-Serial": serial_of(plan, 1), "X-Face": "terminals"}
        stranger = _stranger(plan, folder)
        refused = [
            await ask(plan, "POST", poll_path(plan), body=b"{}"),
            await ask(plan, "POST", poll_path(plan), body=b"{}", headers=lies),
            await ask(plan, "POST", poll_path(plan), pem=stranger, body=b"{}", headers=lies),
            await ask(plan, "POST", poll_path(plan, 2), pem=pem_of(plan), body=b"{}"),
            await ask(plan, "POST", poll_path(plan), port=plan.console_port, body=b"{}", headers=lies),
            await ask(plan, "GET", "/console/", pem=pem_of(plan)),
            await ask(plan, "GET", "/rest/v1/targets", pem=pem_of(plan)),
            await ask(plan, "GET", "/_artifacts/ab/cd", pem=pem_of(plan)),
        ]
        assert [one.status for one in refused] == [404] * len(refused)
        assert (await ask(plan, "GET", "/rest/v1/targets", port=plan.console_port)).status == 401


async def test_a_file_from_upload_to_the_terminal(folder: Path) -> None:
    """What a program uploads is what a terminal gets, whole or in pieces, from nginx; after a cut it goes on."""
    async with running_fleet(folder) as (fleet, _):
        plan = fleet.plan
        office = await open_office(plan)
        module, chosen = await office.make_set("1", "app.tar", CONTENT)
        await office.assign(f"{plan.prefix}0000001", chosen)
        path = f"/{plan.city}/controller/v1/{plan.prefix}0000001/softwaremodules/{module}/artifacts/app.tar"
        whole = await ask(plan, "GET", path, pem=pem_of(plan))
        assert whole.body == CONTENT and whole.headers["accept-ranges"] == "bytes"
        first = await trio.to_thread.run_sync(_cut_off, plan, path)
        rest = {"Range": f"bytes={len(first)}-", "If-Range": whole.headers["etag"]}
        second = await ask(plan, "GET", path, pem=pem_of(plan), headers=rest)
        assert 0 < len(first) < len(CONTENT)
        assert second.status == 206 and first + second.body == CONTENT
        assert (await ask(plan, "GET", path, pem=pem_of(plan, 2))).status == 404


@pytest.mark.slow
async def test_a_process_that_dies(folder: Path) -> None:
    """While it is gone nginx says so at once (502); what it had heard a second before is there when it comes back."""
    async with running_fleet(folder) as (fleet, children):
        plan = fleet.plan
        body = b'{"desired_version": 7, "health": {"at": "2027-01-15T08:00:00+08:00", "serving": true}}'
        assert (await ask(plan, "POST", poll_path(plan), pem=pem_of(plan), body=body)).status == 200
        await trio.sleep(1.5)  # one writing
        await children.kill(fleet.servers[0])
        assert (await ask(plan, "POST", poll_path(plan), pem=pem_of(plan), body=b"{}")).status == 502
        again = start_server(children, plan)
        await until_child(again, plan.sockets[0].is_socket, 20.0, "listens")
        with trio.fail_after(20):
            while (await ask(plan, "POST", poll_path(plan), pem=pem_of(plan), body=b"{}")).status != 200:
                await trio.sleep(0.2)
        with apsw.Connection(str(plan.folder / "home" / "fleet.db")) as books:
            heard = "SELECT desired_version, serving FROM terminal_health"
            assert (7, 1) in list(books.execute(heard))


@pytest.mark.slow
async def test_nginx_that_dies(folder: Path) -> None:
    """A terminal's line breaks; a new nginx before the same process serves it again, with the same certificates."""
    async with running_fleet(folder) as (fleet, children):
        plan = fleet.plan
        fleet.nginx.signal_group(signal.SIGKILL)
        await fleet.nginx.wait()
        with pytest.raises(OSError):
            await ask(plan, "POST", poll_path(plan), pem=pem_of(plan), body=b"{}")
        await start_nginx(children, plan)
        assert (await ask(plan, "POST", poll_path(plan), pem=pem_of(plan), body=b"{}")).status == 200


async def test_two_processes(folder: Path, postgresql: str) -> None:
    """What one process is told, the other answers within two seconds; either may die, and the polls go on."""
    async with running_fleet(folder, database=postgresql, processes=2, city="two-city", prefix="D") as (
        fleet,
        children,
    ):
        plan = fleet.plan
        with psycopg.connect(postgresql, autocommit=True) as other:
            other.execute(
                "UPDATE terminal SET desired_version = 41, changed_ms = extract(epoch FROM now()) * 1000 "
                "WHERE terminal_id = 'D0000001'"
            )
        with trio.fail_after(2.0):
            seen: list[int] = []
            while seen[-4:] != [41] * 4:  # nginx asks the two in turn
                answer = await ask(plan, "POST", poll_path(plan), pem=pem_of(plan), body=b"{}")
                seen.append(answer.json().get("desired_version", 0))
        await children.kill(fleet.servers[0])
        after = [await ask(plan, "POST", poll_path(plan), pem=pem_of(plan), body=b"{}") for _ in range(6)]
        assert [one.status for one in after] == [200] * 6
        with psycopg.connect(postgresql, autocommit=True) as other:
            other.execute("TRUNCATE tenant RESTART IDENTITY CASCADE")
