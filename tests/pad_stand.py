"""Where a PIN pad driver and its simulated pad meet in tests: over lines in memory, or over a pty."""

import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import trio
from psec import des, pinblock

from drivers.pin_pad.kmy.components import ComponentPad
from drivers.pin_pad.kmy.driver import kmy_pad
from drivers.pin_pad.kmy.pad import KmyPad as Driver
from drivers.pin_pad.kmy.settings import pad_settings
from drivers.registry import OpenDevice, find_driver
from drivers.transport.line import LineLost
from drivers.transport.memory import MemoryLine, PerfectWire, Wire, memory_lines
from kiosk.basics.log import JsonLog
from kiosk.domain.card import PinProgress, PinTemplate
from kiosk.domain.health import Health
from kiosk.ports import DeviceContext, DeviceFault
from simulators.devices import kmy_crypto
from simulators.devices.kmy import KmyPad as Simulator
from simulators.pty_line import PtyLine
from tests.started_once import StartedOnce

MASTER = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
PIN_KEY = bytes.fromhex("3D66234C49E4296FF9C78D8BACBD6A76")
MAC_KEY = bytes.fromhex("1234567890ABCDEFABCDEF0987654321")
PAN12 = "060100772688"
SIX_DIGITS = PinTemplate(digits_min=6, digits_max=6, entry_s_max=60.0)
FOUR_TO_SIX = PinTemplate(digits_min=4, digits_max=6, entry_s_max=60.0)


def wrapped(key: bytes) -> bytes:
    return kmy_crypto.encrypt_ecb(MASTER, key)


def expected_block(pin: str) -> bytes:
    """By psec, which had no part in driver or simulator. It takes the PAN with its check digit."""
    return des.encrypt_tdes_ecb(PIN_KEY, pinblock.encode_pinblock_iso_0(pin, PAN12 + "0"))


@dataclass
class Stand:
    """A driver that runs, the pad it runs against, and what it said."""

    driver: Driver
    pad: Simulator
    log: io.StringIO
    line: PtyLine | None = None
    reports: list[Health] = field(default_factory=list)
    stars: list[int] = field(default_factory=list)
    fault: DeviceFault | None = None
    over: trio.Event = field(default_factory=trio.Event)
    running: trio.CancelScope = field(default_factory=trio.CancelScope)

    def progress(self, now: PinProgress) -> None:
        self.stars.append(now.digits)

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """Keep the fault that ends the driver instead of raising it; report started also when it never was usable."""
        status = StartedOnce(task_status)
        try:
            with self.running:
                await self.driver.run(status)  # type: ignore[arg-type] # trio's protocol cannot be subclassed
        except DeviceFault as fault:
            self.fault = fault
        finally:
            self.over.set()
            status.started()

    @property
    def components(self) -> ComponentPad:
        """The driver, where the stand was made with ``component_entry``."""
        assert isinstance(self.driver, ComponentPad)
        return self.driver

    async def type(self, digits: str, *more: str) -> None:
        """Wait until the pad asks for a PIN, then press."""
        await self.until(lambda: self.pad.lit)
        for name in (*digits, *more):
            self.pad.press(name)

    async def enter(self, digits: str, *more: str, template: PinTemplate = SIX_DIGITS) -> bytes | None:
        """One PIN entry under the PIN key: the driver asks, the resident types and presses Enter, or ``more``."""
        block: list[bytes | None] = []

        async def ask() -> None:
            block.append(await self.driver.pin_block(0, 0, PAN12, template, self.progress))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await self.type(digits, *(more or ("enter",)))
        return block[0]

    async def until(self, holds: Callable[[], bool], limit_s: float = 20.0) -> None:
        with trio.fail_after(limit_s):
            while not holds():  # a plain object that knows no events
                await trio.sleep(0.02)

    async def load_keys(self) -> None:
        await self.driver.load_work_key(0, 0, wrapped(PIN_KEY))
        await self.driver.load_work_key(0, 1, wrapped(MAC_KEY))


def _stand(pad: Simulator, open_device: OpenDevice, path: str, options: dict[str, object]) -> Stand:
    framing = {"expand": "hex" if pad.expand else "raw", "etx": pad.etx}
    log = io.StringIO()
    reports: list[Health] = []
    context = DeviceContext(slot="pin_pad", report=reports.append, log=JsonLog(log), run_dir=Path(path).parent)
    return Stand(open_device({"path": path, **framing, **options}, context), pad, log, reports=reports)


@asynccontextmanager
async def pad_on_wire(
    pad: Simulator | None = None, there: Wire | None = None, back: Wire | None = None, **options: object
) -> AsyncIterator[Stand]:
    """Over a line in memory; under a mock clock waits cost nothing."""
    pad = pad or Simulator({0: MASTER})
    near, far = memory_lines(there or PerfectWire(), back or PerfectWire())
    pad.wire = partial(_send_if_there, far)
    stand = _stand(pad, lambda given, context: kmy_pad(pad_settings(given), context, lambda: near), "memory", options)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_play, pad, far)
        await nursery.start(stand.run)
        yield stand
        nursery.cancel_scope.cancel()


async def _play(pad: Simulator, far: MemoryLine) -> None:
    with suppress(LineLost):
        while True:
            pad.tick(trio.current_time())
            with trio.move_on_after(0.05):
                pad.receive(await far.receive())


def _send_if_there(far: MemoryLine, chunk: bytes) -> None:
    with suppress(LineLost):
        far.send_now(chunk)


@asynccontextmanager
async def pad_on_pty(
    path: Path, pad: Simulator | None = None, name: str = "kmy", **options: object
) -> AsyncIterator[Stand]:
    """Over a pty in real time, the driver found by its entry point."""
    pad = pad or Simulator({0: MASTER})
    line = PtyLine(path, pad)
    stand = _stand(pad, find_driver(name), str(path), options)
    stand.line = line
    async with trio.open_nursery() as nursery:
        await nursery.start(line.run)
        await nursery.start(stand.run)
        yield stand
        nursery.cancel_scope.cancel()
