"""The jack on a line of its own: kernel-shaped events reach the screen, and a jack that is lost counts as unplugged."""

import io
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from drivers.headset.evdev.driver import EvdevJack, EvdevSettings, open_device
from drivers.options import OptionError
from drivers.transport.event_device import open_event_device
from kiosk.basics.log import JsonLog
from kiosk.devices.headset import FollowJack
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceContext, DeviceFault
from simulators.devices.jack import HeadsetJack
from simulators.pty_line import PtyLine

SECONDS_MAX = 10.0


class Glass:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[bool] = []

    def headset(self, plugged: bool) -> None:
        self.told.append(plugged)


@asynccontextmanager
async def bench(
    tmp_path: Path, production: bool = False
) -> AsyncIterator[tuple[HeadsetJack, PtyLine, EvdevJack, Glass]]:
    """Jack, line, driver and glass, until the block ends or the line is pulled."""
    jack, glass, seen = HeadsetJack(), Glass(), []
    line = PtyLine(tmp_path / "headset", jack)
    context = DeviceContext("headset", seen.append, JsonLog(io.StringIO()), tmp_path, production=production)
    driver = open_device({"path": str(line.path)}, context)
    async with trio.open_nursery() as nursery:
        await nursery.start(line.run)
        await nursery.start(driver.run)
        assert seen == [Health(Condition.READY)]
        await nursery.start(FollowJack(glass).attend, driver)
        yield jack, line, driver, glass
        nursery.cancel_scope.cancel()


async def until(holds: Callable[[], bool]) -> None:
    with trio.fail_after(SECONDS_MAX):
        while not holds():
            await trio.sleep(0.01)


async def test_the_screen_hears_of_every_plug(tmp_path: Path) -> None:
    """In, out, in; each is told once."""
    async with bench(tmp_path) as (jack, _, driver, glass):
        for plugged in (True, False, True):
            jack.plug(plugged)
            await until(lambda plugged=plugged: driver.plugged is plugged and glass.told[-1:] == [plugged])  # type: ignore[misc]
        jack.power_cut()
        assert glass.told == [True, False, True]


async def test_a_lost_jack_is_an_unplugged_one(tmp_path: Path) -> None:
    """The cable is pulled with the headset in: the driver ends, and nothing personal is said any more."""
    glass = Glass()
    with pytest.RaisesGroup(DeviceFault):
        async with bench(tmp_path) as (jack, line, driver, glass):
            jack.plug(True)
            await until(lambda: driver.plugged)
            await until(lambda: glass.told == [True])
            line.unplug()
            await until(lambda: False)
    assert glass.told == [True, False]


async def test_no_device_is_absent_and_a_plain_line_is_not_for_production(tmp_path: Path) -> None:
    """What cannot be asked how the switch stands is a stand-in."""
    context = DeviceContext("headset", lambda _: None, JsonLog(io.StringIO()), tmp_path)
    with pytest.raises(DeviceFault) as absent:
        await EvdevJack(EvdevSettings(), context, lambda: open_event_device(str(tmp_path / "none"))).run()
    assert absent.value.health == Health(Condition.ABSENT, "absent")
    with pytest.RaisesGroup(DeviceFault):
        async with bench(tmp_path, production=True):
            await until(lambda: False)


class Kernel:
    """What an input device does that a pty cannot: it answers how the switches stand, and its queue runs over."""

    def __init__(self, stream: bytes, switches: list[int]) -> None:
        self._chunks, self._switches = [stream], switches

    async def receive(self) -> bytes:
        if not self._chunks:
            await trio.sleep_forever()
        return self._chunks.pop()

    def switches(self) -> bytes:
        return struct.pack("@L", self._switches.pop(0))

    def close(self) -> None:
        """Nothing is open."""


async def test_the_state_is_asked_at_the_start_and_after_a_loss(tmp_path: Path) -> None:
    """A plug that was in before the kiosk started counts; after SYN_DROPPED the answer counts, not the old events."""
    dropped = struct.pack("@llHHi", 0, 0, 0, 3, 0)
    context = DeviceContext("headset", lambda _: None, JsonLog(io.StringIO()), tmp_path)
    for stream, answers, plugged in ((b"", [4], True), (b"", [0], False), (dropped, [0, 4], True)):
        kernel = Kernel(stream, list(answers)) if stream else Kernel(struct.pack("@llHHi", 0, 0, 0, 0, 0), answers)
        driver = EvdevJack(EvdevSettings(), context, lambda kernel=kernel: kernel)  # type: ignore[misc,return-value]
        async with trio.open_nursery() as nursery:
            await nursery.start(driver.run)
            await until(lambda driver=driver, plugged=plugged: driver.plugged is plugged)  # type: ignore[misc]
            assert not kernel._switches, "it was asked as often as it must be"
            nursery.cancel_scope.cancel()


def test_an_impossible_switch_is_refused(tmp_path: Path) -> None:
    """Settings name a switch that the kernel knows."""
    context = DeviceContext("headset", lambda _: None, JsonLog(io.StringIO()), tmp_path)
    with pytest.raises(OptionError, match="from 0 to 16"):
        open_device({"switch": 17}, context)
