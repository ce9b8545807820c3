"""No digit of a PIN in the kiosk's memory or in anything that a run wrote (pins-and-keys 6)."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from simulators.cards.card import VirtualCard
from simulators.cards.own_pad import OwnPad
from simulators.cards.reader_with_pad import ReaderWithPad
from simulators.devices.kmy import KmyPad
from simulators.native.build import build
from simulators.pcscd import PrivatePcscd
from simulators.pty_line import PtyLine
from tests.cards.search import forms, in_files, in_memory
from tests.cards.stand import KEYS, CardStand, make_card

# Twelve digits: long enough that chance finds nothing.
OLD, NEW = "739104862053", "518206493771"
MASTER = {0: bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")}


class Host:
    """The process under search, and its words."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout and process.stdin
        self.pid = process.pid
        self.log = b"\n"
        self._from = trio.lowlevel.FdStream(os.dup(process.stdout.fileno()))
        self._to = process.stdin

    async def until(self, word: str, times: int = 1) -> None:
        """Wait for that many lines that begin with ``word``."""
        with trio.fail_after(40):
            while self.log.count(b"\n" + word.encode()) < times:
                chunk = await self._from.receive_some(4096)
                assert chunk, f"the host ended: {self.log!r}"
                self.log += chunk

    def plant(self, path: Path) -> None:
        self._to.write(f"plant {path}\n".encode())
        self._to.flush()

    async def close(self) -> None:
        await self._from.aclose()


def _start(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    root = Path(__file__).parents[2]
    with log.open("wb") as errors:
        return subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)


@asynccontextmanager
async def running_host(mode: str, socket: Path, pad: Path, library: str, log: Path) -> AsyncIterator[Host]:
    command = [sys.executable, "-m", "tests.cards.leak_host", mode, str(socket), str(pad), library]
    process = _start(command, log)
    host = Host(process)
    try:
        yield host
    finally:
        process.kill()
        process.wait()
        await host.close()


async def _type(pad: KmyPad | OwnPad, *pins: str) -> None:
    for pin in pins:
        with trio.fail_after(20):
            while not pad.lit:
                await trio.sleep(0.02)
        for key in (*pin, "enter"):
            pad.press(key)
        with trio.fail_after(20):
            while pad.lit and pad.display:
                await trio.sleep(0.02)


@pytest.mark.parametrize("mode", ["A", "B"])
async def test_no_pin_stays_in_the_kiosk_or_its_files(
    pcscd: PrivatePcscd, stand: CardStand, tmp_path: Path, mode: str
) -> None:
    """After a verified and a changed PIN of twelve digits, neither is found; a planted one is."""
    card = make_card(pin=OLD)
    written = tmp_path / "written"
    written.mkdir()
    pad, own = KmyPad(MASTER), OwnPad(digits_min=12, digits_max=12)
    socket = tmp_path / "own.sock"
    os.environ["LDT33_STANDIN_SOCKET"] = str(socket)
    library = build("ldt33_standin", tmp_path / "native")

    def present() -> VirtualCard:
        return card

    await stand.nursery.start(ReaderWithPad(socket, present, KEYS, own).run)
    await stand.nursery.start(PtyLine(tmp_path / "pad", pad).run)
    await stand.insert(card)
    panel = own if mode == "A" else pad
    async with running_host(mode, pcscd.socket_path, tmp_path / "pad", str(library), written / "log") as host:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_type, panel, OLD, OLD, NEW, NEW)
            await host.until("verdict ok", times=2)
        assert card.accepts_pin(NEW)
        (written / "words").write_bytes(host.log)
        for pin in (OLD, NEW):
            assert in_memory(host.pid, pin) == []
            assert in_files(written, pin) == []
        planted = tmp_path / "planted"
        planted.write_bytes(b"".join(b"<" + form + b">" for form in forms(OLD).values()))
        host.plant(planted)
        await host.until("planted")
        assert in_memory(host.pid, OLD) == sorted(forms(OLD))
        assert in_files(tmp_path, OLD) != []
