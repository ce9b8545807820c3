"""``python -m simulators usb DIR``: what is around a terminal that somebody starts in qemu; hands are typed."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import trio

from simulators.alone.until_stopped import run_until_stopped
from simulators.front_panel.front import NotPossible
from simulators.usb.ports import qemu_arguments
from simulators.usb.socket_cable import SocketCable
from simulators.usb.terminal import UsbTerminal
from simulators.usb.usbip_server import UsbIpServer
from simulators.worlds.world import load_world

WORLD = Path(__file__).parents[1] / "worlds" / "demo.toml"
CHUNK_BYTES = 1000
SIZE_PX = (1080, 1920)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="sockets, books and the terminal's box; a short path")
    parser.add_argument("--world", type=Path, default=WORLD)
    parser.epilog = "typed: card NAME, pull, key 1 2 enter, note 100, take, unplug PORT, plug PORT, paper"


def main(asked: argparse.Namespace) -> int:
    folder = asked.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return run_until_stopped(partial(_play, UsbTerminal(load_world(asked.world), folder, folder), folder))


async def _play(around: UsbTerminal, folder: Path) -> None:
    async with trio.open_nursery() as nursery:
        await nursery.start(around.run)
        other = await nursery.start(UsbIpServer(around.printer_cable.device).run)
        box = around.write_box(folder / "box", size_px=SIZE_PX)
        print(f"ready; /etc/yikatong of the terminal: {box}", flush=True)
        print(f"usbip --tcp-port {other} attach -r 127.0.0.1 -b 1-1   (instead of the port receipt)", flush=True)
        print(f"-nic user,model=virtio-net-pci {shlex.join(qemu_arguments(folder))}", flush=True)
        await _obey(Hands(around))


async def _obey(hands: "Hands") -> None:
    """Until standard input ends; then until somebody stops us. As for one device alone, not by ``sys.stdin``."""
    held = b""
    while chunk := await trio.to_thread.run_sync(os.read, 0, CHUNK_BYTES, abandon_on_cancel=True):
        *lines, held = (held + chunk)[-CHUNK_BYTES:].split(b"\n")
        for line in lines:
            try:
                await hands.do(line.decode(errors="replace").split())
            except (LookupError, ValueError, NotPossible) as error:
                print(f"cannot: {error}", file=sys.stderr)
    await trio.sleep_forever()


class Hands:
    """Words of one line to one act."""

    def __init__(self, around: UsbTerminal) -> None:
        self._around = around
        self._acts: dict[str, Callable[[str], None]] = {
            "key": around.pad.press,
            "note": lambda yuan: around.till.feed(int(yuan)),
            "plug": lambda port: self._cable(port).plug(),
            "unplug": lambda port: self._cable(port).unplug(),
        }

    async def do(self, words: Sequence[str]) -> None:
        """Raises LookupError, ValueError, NotPossible: no such act, thing or moment."""
        match list(words):
            case ["card", name]:
                await self._around.card_slot.insert(self._around.cards[name])
            case ["pull"]:
                await self._around.card_slot.remove()
            case ["take"]:
                self._around.till.take_notes()
            case ["paper"]:
                self._take_paper()
            case [act, *things] if act in self._acts:
                for thing in things:
                    self._acts[act](thing)
            case [_, *_]:
                raise LookupError(" ".join(words))

    def _take_paper(self) -> None:
        paper = self._around.printer.papers[-1]
        print(paper.text, flush=True)
        self._around.printer.take_paper(paper.id)

    def _cable(self, port: str) -> SocketCable:
        return {cable.path.name: cable for cable in self._around.cables}[port]
