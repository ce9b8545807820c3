"""The terminal's agent: what it weighs, what it computes, and what it sends in a day, beside the real kiosk and fleet.

A day at one question in five minutes is 288 questions. They are asked here one after the other and counted on the wire,
TLS and TCP's acknowledgements apart; on a line that stands, as nginx keeps it for terminals, and on one that is opened
for each question, which is what a network that cuts idle lines makes of it. Every twelfth carries the hourly report.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import trio

from kiosk.basics.control import agent_path, ask_control
from simulators.bench import Measurement
from simulators.run import WORLD
from simulators.stack import Plan, Stack, open_stack

QUESTIONS = 48
A_DAY, REPORTS, IDLE_S = 288, 24, 60.0
PSS_MIB, CPU_PERCENT, DAY_MB = 45.0, 0.2, 0.5
PIECE = 65_536


@dataclass
class Wire:
    """Between agent and fleet: hands on and counts. ``cuts``: hangs up when an answer is through."""

    port: int
    bytes: int = 0
    lines: int = 0
    streams: list[trio.SocketStream] = field(default_factory=list)

    async def serve(self, task_status: trio.TaskStatus[int]) -> None:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        task_status.started(listeners[0].socket.getsockname()[1])
        await trio.serve_listeners(self._pass, listeners)

    async def _pass(self, near: trio.SocketStream) -> None:
        self.lines += 1
        far = await trio.open_tcp_stream("127.0.0.1", self.port)
        self.streams = [near, far]
        async with near, far, trio.open_nursery() as nursery:
            for source, sink in ((near, far), (far, near)):
                nursery.start_soon(self._copy, source, sink, nursery.cancel_scope)

    async def _copy(self, source: trio.SocketStream, sink: trio.SocketStream, scope: trio.CancelScope) -> None:
        try:
            async for piece in source:
                self.bytes += len(piece)
                await sink.send_all(piece)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        scope.cancel()

    async def cut(self) -> None:
        for stream in self.streams:
            await stream.aclose()


def run() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory(prefix="ykab") as folder:
        found: list[Measurement] = []
        trio.run(partial(_measure, Path(folder) / "r", found))
        yield from found


async def _measure(folder: Path, found: list[Measurement]) -> None:
    settings = {"agent": {"poll_s_max": 3600.0}}
    async with open_stack(Plan(WORLD, folder, (320, 480), "A", fleet=True, settings=settings)) as stack:
        async with trio.open_nursery() as nursery:
            await _until_enrolled(stack)
            wire = Wire(stack.fleet.device_port)
            port = await nursery.start(wire.serve)
            await _through(stack, port)
            await _standing(stack, wire, found)
            await _opened(stack, wire, found)
            await _idle(stack, found)
            nursery.cancel_scope.cancel()


async def _through(stack: Stack, port: int) -> None:
    """The agent asks by the counted way from its next start on."""
    facts = stack.local_facts.read_text()
    stack.local_facts.write_text(facts.replace(stack.fleet.device_url, f"https://127.0.0.1:{port}"))
    await stack.agent.power_cut()
    await trio.sleep(1)
    await _until_enrolled(stack)
    await _polls(stack, 3)


async def _standing(stack: Stack, wire: Wire, found: list[Measurement]) -> None:
    wire.bytes, lines = 0, wire.lines
    before = _cpu_s(stack.agent.pid)
    await _polls(stack, QUESTIONS)
    cpu_s = (_cpu_s(stack.agent.pid) - before) / QUESTIONS
    plain = wire.bytes / QUESTIONS
    report = await _report_bytes(stack, wire)
    day = (plain * (A_DAY - REPORTS) + report * REPORTS) / 1e6
    how = f"{wire.lines - lines} lines opened, {plain:.0f} bytes a question, {report:.0f} with the hourly report"
    found.append(Measurement("agent_traffic_a_day", day, "MB", DAY_MB, how))
    found.append(
        Measurement("agent_cpu_by_questions", cpu_s * A_DAY / 864, "%", CPU_PERCENT, f"{cpu_s * 1e3:.1f} ms each")
    )


async def _report_bytes(stack: Stack, wire: Wire) -> int:
    """Of a question that carries the whole report, because a device went."""
    await stack.fault("pad_unplugged", True)
    await trio.sleep(5)
    before = wire.bytes
    await _polls(stack, 1)
    await stack.fault("pad_unplugged", False)
    return wire.bytes - before


async def _opened(stack: Stack, wire: Wire, found: list[Measurement]) -> None:
    wire.bytes = 0
    for _ in range(12):
        await wire.cut()
        await _polls(stack, 1)
    day = wire.bytes / 12 * A_DAY / 1e6
    found.append(Measurement("agent_traffic_a_day_cut_lines", day, "MB", float("inf"), "a new line for each question"))


async def _idle(stack: Stack, found: list[Measurement]) -> None:
    before = _cpu_s(stack.agent.pid)
    await trio.sleep(IDLE_S)
    used = (_cpu_s(stack.agent.pid) - before) / IDLE_S * 100
    found.append(Measurement("agent_cpu_idle", used, "%", CPU_PERCENT, f"{IDLE_S:.0f} s without a question"))
    found.append(Measurement("agent_pss", _pss_mib(stack.agent.pid), "MiB", PSS_MIB, f"after {QUESTIONS} questions"))


async def _polls(stack: Stack, count: int) -> None:
    for _ in range(count):
        before = (await _told(stack))["polls"]
        await ask_control(agent_path(str(stack.kiosk_dir)), "poll")
        with trio.fail_after(30):
            while (await _told(stack))["polls"] == before:  # noqa: ASYNC110 - another process's count tells no event
                await trio.sleep(0.02)


async def _told(stack: Stack) -> dict[str, int]:
    told: dict[str, int] = await ask_control(agent_path(str(stack.kiosk_dir)), "fleet")
    return told


async def _until_enrolled(stack: Stack) -> None:
    with trio.fail_after(120):
        while not (stack.agent.ready and (await _told(stack))["settings"]):  # noqa: ASYNC110 - as above
            await trio.sleep(0.2)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _pss_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise OSError("no Pss")
