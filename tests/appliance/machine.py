"""A terminal's computer that is a program: qemu, emulating every instruction, with a disk, a glass and a finger.

Never KVM: what works only with it works on no machine that tests this. Every machine is ended with its block, also
when the test fails, and by SIGKILL: that is what a power cut is to the disk. What the guest had handed to the disk is
there afterwards, what it had not is gone; a disk that loses what it had confirmed is not played here.
"""

import shutil
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio
from PIL import Image

from simulators.processes import Child, ChildEnded, Children
from simulators.waiting import until_file
from tests.appliance.qmp import Monitor, MonitorRefused, monitor

OVMF = Path("/usr/share/OVMF")
START_S_MAX = 30.0
LOOK_EVERY_S = 0.5
AXIS_MAX = 0x7FFF  # of qemu's absolute pointers
PRESS_S = 0.15  # a finger rests on the glass; shorter, and a guest that is being emulated sees both at once


@dataclass(frozen=True)
class Direct:
    """Started without firmware and boot loader, with words of our own to the kernel."""

    kernel: Path
    initrd: Path
    words: str


@dataclass(frozen=True)
class Hardware:
    """What the machine is made of. ``more``: further arguments of qemu, such as USB devices and their lines."""

    disk: Path
    disk_form: str = "qcow2"
    direct: Direct | None = None
    memory_mib: int = 2048
    panel: str = "virtio-tablet-pci"  # what fingers touch; "" where ``more`` has it at a USB port
    width_px: int = 1080  # of the picture, as somebody before it sees it
    height_px: int = 1920
    on_its_side: bool = False  # a wide panel that hangs upright: its own left side is the picture's top
    tpm: Path | None = None  # control socket of a swtpm
    network: str = "user,restrict=on"  # value of -nic, without its model; "none" for no card at all
    clock: str = "utc"  # where the board's own clock stands at power-on; or a moment, as 1970-01-01T00:00:00
    more: Sequence[str] = field(default_factory=tuple)


class Machine:
    """One that runs. Positions are pixels of the glass, times are seconds of our clock."""

    def __init__(self, child: Child, line: Monitor, folder: Path, hardware: Hardware) -> None:
        self._child, self.monitor, self._folder = child, line, folder
        self._hardware = hardware

    @property
    def running(self) -> bool:
        return self._child.running

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def serial(self) -> str:
        """All that came out of the serial line until now."""
        return (self._folder / "serial.log").read_text(errors="replace")

    async def glass(self) -> Image.Image:
        """What somebody before the glass sees now. Raises MonitorRefused, trio.TooSlowError."""
        path = self._folder / "glass.ppm"
        await self.monitor.ask("screendump", filename=str(path))
        with Image.open(path) as panel:
            picture = panel.convert("RGB")
        return picture.transpose(Image.Transpose.ROTATE_270) if self._hardware.on_its_side else picture

    async def until_glass(self, shows: Callable[[Image.Image], bool], limit_s: float) -> Image.Image:
        """The first picture of which ``shows`` holds. Raises trio.TooSlowError: none did; the last one is kept."""
        ends = trio.current_time() + limit_s
        while True:
            picture = await self.glass()
            if shows(picture):
                return picture
            if trio.current_time() > ends or not self.running:
                picture.save(self._folder / "last.png")
                raise trio.TooSlowError(f"not on the glass within {limit_s:g} s; see {self._folder}/last.png")
            await trio.sleep(LOOK_EVERY_S)

    async def until_serial(self, text: str, limit_s: float, times: int = 1) -> str:
        """What the serial line had said when ``text`` stood in it, so often. Raises trio.TooSlowError."""
        ends = trio.current_time() + limit_s
        while (said := self.serial).count(text) < times:
            if trio.current_time() > ends or not self.running:
                raise trio.TooSlowError(f"{text!r} not on the serial line within {limit_s:g} s: {said[-800:]!r}")
            await trio.sleep(LOOK_EVERY_S)
        return said

    async def touch(self, x: float, y: float) -> None:
        """One finger, down and up."""
        hardware = self._hardware
        across, down = x / hardware.width_px, y / hardware.height_px
        at = (down, 1 - across) if hardware.on_its_side else (across, down)
        move = [
            {"type": "abs", "data": {"axis": axis, "value": round(part * AXIS_MAX)}}
            for axis, part in zip("xy", at, strict=True)
        ]
        for rests in (True, False):
            press = {"type": "btn", "data": {"button": "left", "down": rests}}
            await self.monitor.ask("input-send-event", events=[*move, press])
            await trio.sleep(PRESS_S)

    async def keys(self, *names: str) -> None:
        """Keys of a keyboard at once, by qemu's names: ``"ctrl", "alt", "f2"``."""
        await self.monitor.ask("send-key", keys=[{"type": "qcode", "data": name} for name in names])

    async def press_power(self) -> None:
        """The button of the case, for an orderly end."""
        await self.monitor.ask("system_powerdown")

    async def until_off(self, limit_s: float) -> None:
        """Until the guest has switched itself off. Raises trio.TooSlowError."""
        with trio.fail_after(limit_s):
            await self._child.wait()

    async def cut_power(self) -> None:
        """Off at once, in the middle of whatever it was doing."""
        self._child.signal_group(signal.SIGKILL)
        await self._child.wait()


@asynccontextmanager
async def machine(folder: Path, hardware: Hardware) -> AsyncIterator[Machine]:
    """Switch one on; off at the end of the block. ``folder``: of this start alone, and short, for its UNIX sockets.

    Raises:
        ChildEnded: qemu did not start; its words are in ``folder``/qemu.log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    children = Children(folder)
    try:
        child = children.start("qemu", command(folder, hardware))
        async with AsyncExitStack() as stack:
            yield Machine(child, await _answering(stack, child, folder / "qmp"), folder, hardware)
    finally:
        with trio.CancelScope(shield=True):
            await children.stop_all()


async def _answering(stack: AsyncExitStack, child: Child, path: Path) -> Monitor:
    """The monitor, once it greets; the socket's file is there before anybody listens, maybe for long."""
    await until_file(path, child, START_S_MAX)
    ends = trio.current_time() + START_S_MAX
    while True:
        try:
            return await stack.enter_async_context(monitor(path))
        except (OSError, MonitorRefused) as silent:
            if not child.running or trio.current_time() > ends:
                raise ChildEnded(f"qemu's monitor does not answer, see {child.log}") from silent
        await trio.sleep(LOOK_EVERY_S)


def command(folder: Path, hardware: Hardware) -> list[str]:
    """qemu's command line for this machine."""
    sides = (hardware.width_px, hardware.height_px)
    wide, high = reversed(sides) if hardware.on_its_side else sides
    # Xorg turns into memory of its own, of whose changes it does not tell a driver that wants to hear of each one, as
    # virtio's does; a plain card shows what lies in its memory, as a board's does.
    card = "VGA,edid=on,vgamem_mb=64" if hardware.on_its_side else "virtio-vga"
    glass = f"{card},xres={wide},yres={high}"
    network = "none" if hardware.network == "none" else f"{hardware.network},model=virtio-net-pci"
    return [
        "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-accel", "tcg,thread=multi", "-cpu", "max",
        "-machine", "q35", "-smp", "2", "-m", str(hardware.memory_mib), "-display", "none", "-vga", "none",
        "-device", glass, *(("-device", hardware.panel) if hardware.panel else ()), "-device", "virtio-keyboard-pci",
        "-device", "virtio-rng-pci", "-nic", network, "-rtc", f"base={hardware.clock}",
        "-qmp", f"unix:{folder}/qmp,server=on,wait=off",
        "-chardev", f"socket,id=serial,path={folder}/serial,server=on,wait=off,logfile={folder}/serial.log",
        "-serial", "chardev:serial",
        "-drive", f"file={hardware.disk},format={hardware.disk_form},if=virtio,cache=writeback,discard=unmap",
        *_start(folder, hardware.direct), *_tpm(hardware.tpm), *hardware.more,
    ]  # fmt: skip


def _start(folder: Path, direct: Direct | None) -> list[str]:
    if direct is not None:
        return ["-kernel", str(direct.kernel), "-initrd", str(direct.initrd), "-append", direct.words]
    settings = folder / "firmware-settings.fd"
    if not settings.exists():
        shutil.copyfile(OVMF / "OVMF_VARS_4M.fd", settings)
    code = f"if=pflash,format=raw,unit=0,readonly=on,file={OVMF / 'OVMF_CODE_4M.fd'}"
    return ["-drive", code, "-drive", f"if=pflash,format=raw,unit=1,file={settings}"]


def _tpm(control: Path | None) -> list[str]:
    if control is None:
        return []
    line = ["-chardev", f"socket,id=tpm,path={control}", "-tpmdev", "emulator,id=tpm0,chardev=tpm"]
    return [*line, "-device", "tpm-crb,tpmdev=tpm0"]
