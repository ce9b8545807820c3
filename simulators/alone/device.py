"""``python -m simulators device MODEL --line PATH``: one device, on a pty named PATH or on the serial port PATH."""

import argparse
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import trio

from simulators.alone.until_stopped import run_until_stopped
from simulators.devices import MODELS, build
from simulators.pty_line import line_for
from simulators.worlds.world import World, load_world

WORLD = Path(__file__).parents[1] / "worlds" / "demo.toml"
CHUNK_BYTES = 1000
KEYS_HELP = "a line of key names on standard input presses them, e.g.: 1 2 3 enter"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", choices=sorted(MODELS))
    parser.add_argument("--line", type=Path, required=True, help="a serial port, or the name of a pty to make")
    parser.add_argument("--baud", type=int, default=9600, help="of a serial port")
    parser.add_argument("--world", type=Path, default=WORLD, help="where its TEST keys are")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="of the model")
    parser.epilog = KEYS_HELP


def main(asked: argparse.Namespace) -> int:
    options = dict(option.partition("=")[::2] for option in asked.option)
    return run_until_stopped(partial(_serve, asked, load_world(asked.world), options))


async def _serve(asked: argparse.Namespace, world: World, options: dict[str, str]) -> None:
    device = build(asked.model, world, options)
    async with trio.open_nursery() as nursery:
        await nursery.start(line_for(asked.line, device, asked.baud).run)
        print(f"ready {asked.line}", flush=True)
        press = getattr(device, "press", None)
        if press is not None:
            nursery.start_soon(_press_typed_keys, press)


async def _press_typed_keys(press: Callable[[str], None]) -> None:
    """Until standard input ends. Not by ``sys.stdin``: a thread that is left in it holds its lock at our end."""
    held = b""
    while chunk := await trio.to_thread.run_sync(os.read, 0, CHUNK_BYTES, abandon_on_cancel=True):
        *lines, held = (held + chunk)[-CHUNK_BYTES:].split(b"\n")
        for key in b" ".join(lines).decode(errors="replace").split():
            try:
                press(key)
            except KeyError:
                print(f"no such key: {key}", file=sys.stderr)
