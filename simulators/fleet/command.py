"""``python -m simulators fleet``: the fleet's server in a browser; with ``--terminals N`` also N terminals that ask."""

import argparse
import signal
import sys
from functools import partial
from pathlib import Path

import trio

from simulators.fleet.load import Pace, poll_for
from simulators.fleet.server import FleetError, FleetPlan, open_fleet
from simulators.pki import make_pki
from simulators.processes import ChildEnded, Children
from simulators.run import EX_UNAVAILABLE, NotStarted, alone_in

DEVICE_PORT, CONSOLE_PORT = 8444, 8445
CONNECTIONS = 256


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run-dir", type=Path, default=Path(".run/fleet"), help="everything it keeps")
    parser.add_argument("--device-port", type=int, default=DEVICE_PORT, help="terminals' face on 127.0.0.1")
    parser.add_argument("--console-port", type=int, default=CONSOLE_PORT, help="people's face")
    parser.add_argument("--database", default="", help="postgresql://... instead of a file")
    parser.add_argument("--processes", type=int, default=1, help="more than one need PostgreSQL")
    parser.add_argument("--terminals", type=int, default=0, help="how many ask")
    parser.add_argument("--poll-s", type=float, default=60.0, help="each of them once in so many seconds")
    parser.add_argument("--minutes", type=float, default=5.0, help="for so long, then it ends")
    parser.add_argument("--tls", action="store_true", help="through nginx with certificates, at most 1000 terminals")


def main(asked: argparse.Namespace) -> int:
    try:
        with alone_in(asked.run_dir):
            return trio.run(_run, asked)
    except* (FleetError, NotStarted, ChildEnded, OSError, trio.TooSlowError) as group:
        print("\n".join(str(one) for one in group.exceptions), file=sys.stderr)
    return EX_UNAVAILABLE


async def _run(asked: argparse.Namespace) -> int:
    folder = asked.run_dir.resolve()
    plan = FleetPlan(
        folder=folder / f"fleet-{asked.terminals}" if asked.terminals else folder / "fleet",
        pki=make_pki(folder / "pki"),
        device_port=asked.device_port,
        console_port=asked.console_port,
        database=asked.database,
        processes=asked.processes,
        terminals=asked.terminals or 1,
        prefix="R" if asked.terminals else "T",
    )
    children = Children(folder / "logs")
    try:
        await open_fleet(children, plan)
        print(f"ready {plan.console_url} (people), {plan.device_url} (terminals)")
        print(f"first sign-in: {plan.sign_in}", flush=True)
        return await _poll(plan, asked) if asked.terminals else await _until_told()
    finally:
        await children.stop_all()


async def _poll(plan: FleetPlan, asked: argparse.Namespace) -> int:
    pace = Pace(asked.terminals / asked.poll_s, asked.minutes * 60, CONNECTIONS)
    result = await trio.to_thread.run_sync(partial(poll_for, plan, pace, tls=asked.tls))
    print(result.as_line())
    return 0 if not result.overdue else 1


async def _until_told() -> int:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        async for _ in signals:
            break
    return 0
