"""``python -m simulators run``: start everything, say where it is, stay until Ctrl-C."""

import argparse
import fcntl
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import trio

from simulators.pcscd import PcscdError
from simulators.processes import ChildEnded
from simulators.stack import Plan, open_stack
from simulators.worlds.world import WorldError

WORLD = Path(__file__).parent / "worlds" / "demo.toml"
EX_UNAVAILABLE = 69  # sysexits(3)
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class NotStarted(Exception):
    """Something did not come up; the message is for the person at the terminal."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--world", type=Path, default=WORLD, help="residents and cards, see simulators/worlds")
    parser.add_argument("--port", type=int, default=8080, help="of the front panel on 127.0.0.1")
    parser.add_argument("--run-dir", type=Path, default=Path(".run"), help="certificates, logs, journal, sandboxes")
    parser.add_argument("--size", type=size_px, default=(1080, 1920), help="of the panel: 1080x1920 or 1280x800")
    parser.add_argument("--kiosk", default="", metavar="COMMAND", help="another program in the kiosk's place")
    parser.add_argument("--no-fleet", action="store_true", help="without the server that a province runs")
    parser.add_argument("--pin-mode", choices=("A", "B"), default=os.environ.get("PIN_MODE", "B"))


def size_px(words: str) -> tuple[int, int]:
    """``1080x1920``.

    Raises:
        ValueError: not two numbers of a panel's size.
    """
    width, height = (int(word) for word in words.split("x"))
    if not (320 <= width <= 4096 and 320 <= height <= 4096):
        raise ValueError("a panel has between 320 and 4096 pixels a side")
    return width, height


def main(asked: argparse.Namespace) -> int:
    plan = Plan(
        world=asked.world,
        run_dir=asked.run_dir.resolve(),
        size_px=asked.size,
        pin_mode=asked.pin_mode,
        panel_port=asked.port,
        command=tuple(shlex.split(asked.kiosk)),
        fleet=not asked.no_fleet,
        progress=lambda words: print(f"  {words}", flush=True),
    )
    status = 0
    try:
        with alone_in(plan.run_dir):
            trio.run(_run, plan)
    except* (NotStarted, ChildEnded, PcscdError, WorldError, OSError, trio.TooSlowError) as group:
        print("\n".join(reasons(group)), file=sys.stderr)
        status = EX_UNAVAILABLE
    return status


@contextmanager
def alone_in(run_dir: Path) -> Iterator[None]:
    """Hold the folder, so that two stacks never share one.

    Raises:
        NotStarted: another one runs in it.
    """
    run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (run_dir / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotStarted(f"already running in {run_dir}; end that one, or choose another --run-dir") from None
        yield


async def _run(plan: Plan) -> None:
    with trio.open_signal_receiver(*_ENDINGS) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_end_on_signal, signals, nursery.cancel_scope)
            async with open_stack(plan) as stack:
                print(f"ready {stack.url}", flush=True)
                await trio.sleep_forever()


async def _end_on_signal(signals: AsyncIterator[int], scope: trio.CancelScope) -> None:
    async for _ in signals:
        scope.cancel()
        return


def reasons(group: BaseExceptionGroup[BaseException]) -> Iterator[str]:
    """What each exception of a group of groups says."""
    for one in group.exceptions:
        if isinstance(one, BaseExceptionGroup):
            yield from reasons(one)
        else:
            yield str(one) or type(one).__name__
