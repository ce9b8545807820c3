"""The pty that carries a simulated device: names, cables, and no work when nothing happens."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
import trio.testing

from drivers.transport.line import LineLost
from drivers.transport.serial_port import open_serial_line
from simulators.pty_line import PtyLine, SerialPortLine, line_for


class Echo:
    """Answers everything it hears, and counts how often time was told to it."""

    can_time_out = False

    def __init__(self) -> None:
        self.wire: Callable[[bytes], None] = lambda chunk: None
        self.ticks = 0

    def receive(self, chunk: bytes) -> None:
        self.wire(chunk)

    def tick(self, now_s: float) -> None:
        self.ticks += 1

    def power_cut(self) -> None:
        self.ticks = 0


class Ticking(Echo):
    can_time_out = True


async def hear(path: Path, chunk: bytes) -> bytes:
    """Send over the serial transport and read as much back."""
    line = open_serial_line(str(path))
    heard = b""
    try:
        with trio.fail_after(10):
            await line.send(chunk)
            while len(heard) < len(chunk):
                heard += await line.receive()
    finally:
        line.close()
    return heard


async def test_bytes_pass_unchanged_in_both_directions(tmp_path: Path) -> None:
    """All 256 values survive: no echo, no newline translation, no flow control characters."""
    line = PtyLine(tmp_path / "device", Echo())
    async with trio.open_nursery() as nursery:
        await nursery.start(line.run)
        everything = bytes(range(256)) * 4
        assert await hear(line.path, everything) == everything
        nursery.cancel_scope.cancel()
    assert not line.path.is_symlink()


async def test_a_pulled_cable_is_seen_and_a_new_one_works(tmp_path: Path) -> None:
    """Unplugging ends a waiting read with LineLost and removes the name; plugging in gives a new pty under it."""
    line = PtyLine(tmp_path / "device", Echo())
    async with trio.open_nursery() as nursery:
        await nursery.start(line.run)
        port = open_serial_line(str(line.path))

        async def pull() -> None:
            await trio.testing.wait_all_tasks_blocked()
            line.unplug()
            line.unplug()

        nursery.start_soon(pull)
        with trio.fail_after(10), pytest.raises(LineLost, match="lost"):
            await port.receive()
        with pytest.raises(LineLost, match="lost"):
            await port.send(b"x")
        port.close()
        port.close()
        with pytest.raises(LineLost, match="lost"):
            await port.receive()
        with pytest.raises(LineLost, match="absent"):
            open_serial_line(str(line.path))
        line.plug()
        assert await hear(line.path, b"again") == b"again"
        nursery.cancel_scope.cancel()


async def test_time_is_told_only_to_devices_that_wait_for_it(tmp_path: Path) -> None:
    """A device that cannot time out sleeps until bytes come; one that can hears the time."""
    quiet, ticking = Echo(), Ticking()
    async with trio.open_nursery() as nursery:
        for name, device in (("quiet", quiet), ("ticking", ticking)):
            await nursery.start(PtyLine(tmp_path / name, device).run)
        with trio.fail_after(20):
            while ticking.ticks < 5:
                await trio.sleep(0.02)
        assert quiet.ticks == 0
        await hear(tmp_path / "quiet", b"x")
        assert quiet.ticks == 1
        nursery.cancel_scope.cancel()


async def test_a_port_is_owned_by_one(tmp_path: Path) -> None:
    """A second opener is told that the port is busy."""
    line = PtyLine(tmp_path / "device", Echo())
    async with trio.open_nursery() as nursery:
        await nursery.start(line.run)
        port = open_serial_line(str(line.path))
        with pytest.raises(LineLost, match="busy"):
            open_serial_line(str(line.path))
        port.close()
        assert await hear(line.path, b"free") == b"free"
        nursery.cancel_scope.cancel()


async def test_a_device_can_be_put_on_an_existing_port(tmp_path: Path) -> None:
    """For a cable to a real terminal: the device serves the port it is given (here the far end of a pty)."""
    ours, theirs = os.openpty()
    try:
        line = SerialPortLine(Path(os.ttyname(theirs)), Echo())
        async with trio.open_nursery() as nursery:
            await nursery.start(line.run)
            os.write(ours, b"hello")
            await trio.lowlevel.wait_readable(ours)
            assert os.read(ours, 5) == b"hello"
            nursery.cancel_scope.cancel()
    finally:
        os.close(ours)
        os.close(theirs)


def test_what_exists_decides_the_kind_of_line(tmp_path: Path) -> None:
    """A free name or the link of an earlier run becomes a pty; a device file is opened."""
    assert isinstance(line_for(tmp_path / "new", Echo()), PtyLine)
    ours, theirs = os.openpty()
    try:
        (tmp_path / "old").symlink_to(os.ttyname(theirs))
        assert isinstance(line_for(tmp_path / "old", Echo()), PtyLine)
        assert isinstance(line_for(Path("/dev/tty"), Echo()), SerialPortLine)
    finally:
        os.close(ours)
        os.close(theirs)
