"""``python -m simulators fleet``: the fleet's server in a browser; with ``--terminals N`` also N terminals that ask."""

import argparse
import json
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

import trio

from simulators.fleet.footprint import cores, memory_mb, nginx_workers
from simulators.fleet.load import LoadResult, Pace, poll_for
from simulators.fleet.server import FleetError, FleetPlan, RunningFleet, open_fleet
from simulators.fleet.standing import first_round_s, parts_for, poll_standing
from simulators.pki import make_pki
from simulators.processes import ChildEnded, Children
from simulators.run import EX_UNAVAILABLE, NotStarted, alone_in

DEVICE_PORT, CONSOLE_PORT = 8444, 8445
CONNECTIONS, CERTIFICATES = 256, 1000
START_S = 10.0  # the generator's processes read their terminals


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run-dir", type=Path, default=Path(".run/fleet"), help="everything it keeps")
    parser.add_argument("--device-port", type=int, default=DEVICE_PORT, help="terminals' face on 127.0.0.1")
    parser.add_argument("--console-port", type=int, default=CONSOLE_PORT, help="people's face")
    parser.add_argument("--database", default="", help="postgresql://... instead of a file")
    parser.add_argument("--processes", type=int, default=1, help="more than one need PostgreSQL")
    parser.add_argument("--terminals", type=int, default=0, help="how many ask")
    parser.add_argument("--poll-s", type=float, default=60.0, help="each of them once in so many seconds")
    parser.add_argument("--minutes", type=float, default=5.0, help="for so long, then it ends")
    parser.add_argument("--tls", action="store_true", help="through nginx, each on a line of its own")


def main(asked: argparse.Namespace) -> int:
    try:
        with alone_in(asked.run_dir):
            return trio.run(_run, asked)
    except* (FleetError, NotStarted, ChildEnded, OSError, trio.TooSlowError) as group:
        print("\n".join(str(one) for one in group.exceptions), file=sys.stderr)
    return EX_UNAVAILABLE


async def _run(asked: argparse.Namespace) -> int:
    folder = asked.run_dir.resolve()
    name = f"fleet-{asked.terminals}{'-tls' if asked.tls else ''}" if asked.terminals else "fleet"
    lines = asked.terminals if asked.tls else 0
    plan = FleetPlan(
        folder=folder / name,
        pki=make_pki(folder / "pki"),
        device_port=asked.device_port,
        console_port=asked.console_port,
        database=asked.database,
        processes=asked.processes,
        terminals=asked.terminals or 1,
        certificates=max(CERTIFICATES, lines),
        workers=parts_for(lines) if lines else 1,
        prefix="R" if asked.terminals else "T",
    )
    children = Children(folder / "logs")
    try:
        fleet = await open_fleet(children, plan)
        print(f"ready {plan.console_url} (people), {plan.device_url} (terminals)")
        print(f"first sign-in: {plan.sign_in}", flush=True)
        if not asked.terminals:
            return await _until_told()
        return await (_stand(children, fleet, asked) if asked.tls else _poll(plan, asked))
    finally:
        await children.stop_all()


async def _poll(plan: FleetPlan, asked: argparse.Namespace) -> int:
    pace = Pace(asked.terminals / asked.poll_s, asked.minutes * 60, CONNECTIONS)
    return _told(await trio.to_thread.run_sync(partial(poll_for, plan, pace)))


async def _stand(children: Children, fleet: RunningFleet, asked: argparse.Namespace) -> int:
    """Everybody comes once, then the minutes begin; each of them is told of as it ends."""
    begins_s = time.monotonic() + START_S + first_round_s(asked.terminals)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_tell_minutes, fleet, begins_s)
        rate = asked.terminals / asked.poll_s
        result = await poll_standing(children, fleet.plan, rate, asked.minutes * 60, begins_s)
        nursery.cancel_scope.cancel()
    return _told(result)


async def _tell_minutes(fleet: RunningFleet, begins_s: float) -> None:
    minute = 0
    while True:
        await trio.sleep(max(0.0, begins_s + 60 * minute - time.monotonic()))
        ran_s, waited_s = cores(fleet)
        told = {
            "minute": minute,
            "server_mb": round(sum(memory_mb(one.pid) for one in fleet.servers)),
            "nginx_mb": round(sum(memory_mb(pid) for pid in nginx_workers(fleet))),
            "ran_s": round(ran_s, 1),
            "waited_s": round(waited_s, 1),
            "load": round(os.getloadavg()[0], 1),
        }
        print(json.dumps(told), flush=True)
        minute += 1


def _told(result: LoadResult) -> int:
    print(result.as_line())
    return 0 if not result.overdue else 1


async def _until_told() -> int:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        async for _ in signals:
            break
    return 0
