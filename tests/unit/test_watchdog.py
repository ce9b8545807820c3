"""What systemd hears of a process."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from kiosk.basics.watchdog import feed_watchdog, notify, watchdog_s

WATCH_S = 30


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The other end of the socket, as systemd names it in the environment."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "notify"))
        end.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", str(WATCH_S * 1_000_000))
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
        yield end


def heard(systemd: socket.socket) -> list[str]:
    words = []
    while True:
        try:
            words.append(systemd.recv(100).decode())
        except BlockingIOError:
            return words


async def test_signs_come_three_times_in_the_time_allowed(systemd: socket.socket, autojump_clock: MockClock) -> None:
    """Ready once, then a sign of life at each third of the time after which systemd gives up."""
    with trio.move_on_after(WATCH_S - 1):
        await feed_watchdog()
    assert heard(systemd) == ["READY=1", *["WATCHDOG=1"] * 3]


async def test_a_hung_device_silences_nothing_and_a_hung_loop_does(systemd: socket.socket) -> None:
    """A task that waits for ever leaves the signs alone; one that never gives the loop back stops them."""
    os.environ["WATCHDOG_USEC"] = "30000"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)
        nursery.start_soon(feed_watchdog)
        while "WATCHDOG=1" not in heard(systemd):
            await trio.sleep(0.005)
        hangs_until = time.monotonic() + 0.1
        while time.monotonic() < hangs_until:
            pass  # the loop is not given back
        assert heard(systemd) == []
        nursery.cancel_scope.cancel()


async def test_ready_is_also_a_file(tmp_path: Path) -> None:
    """Where no systemd asks, the file says it, nothing else is told and the task is over."""
    await feed_watchdog(tmp_path / "ready")
    assert (tmp_path / "ready").read_text() == str(os.getpid())


def test_a_child_is_not_meant(systemd: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever inherits the words but is another process is not watched."""
    assert watchdog_s() == WATCH_S
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert watchdog_s() == 0.0


def test_a_systemd_that_does_not_read_blocks_nobody(systemd: socket.socket) -> None:
    """Its queue is full: the sign is left out, and the process goes on."""
    for _ in range(2000):
        notify("WATCHDOG=1")
    assert 0 < len(heard(systemd)) < 2000
