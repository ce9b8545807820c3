"""Carries a simulated device on a pty that looks like its serial port: a symlink that can be unplugged and plugged in.

For integrators ``SerialPortLine`` carries the same device on a real port. What a pty cannot show: baud rate, parity,
modem lines, bit timing.
"""

import math
import os
import termios
import tty
from contextlib import suppress
from pathlib import Path

import trio

from simulators.lines import LineDevice, QuietDevice

TICK_S = 0.05
CHUNK_BYTES = 4096


class _Carrier:
    """Moves bytes between one descriptor and the device, and lets time pass for it."""

    def __init__(self, device: LineDevice) -> None:
        self.device = device
        self._fd: int | None = None
        device.wire = self._to_terminal

    def _to_terminal(self, chunk: bytes) -> None:
        """Like a UART without flow control: what nobody takes is lost."""
        if self._fd is not None:
            with suppress(OSError):
                os.write(self._fd, chunk)

    async def _carry(self, fd: int) -> None:
        """Until cancelled, or until ``fd`` is gone."""
        os.set_blocking(fd, False)
        self._fd = fd
        try:
            while (chunk := await self._chunk_or_tick(fd)) is not None:
                self.device.tick(trio.current_time())
                if chunk:
                    self.device.receive(chunk)
        finally:
            self._fd = None

    async def _chunk_or_tick(self, fd: int) -> bytes | None:
        """Bytes from the terminal, none when only time has passed, None when the line is gone."""
        try:
            await self._wait_a_tick(fd)
            return os.read(fd, CHUNK_BYTES)
        except BlockingIOError:
            return b""
        except (trio.ClosedResourceError, OSError):
            return None

    async def _wait_a_tick(self, fd: int) -> None:
        """Sleeps for as long as nothing inside the device can time out."""
        quiet = isinstance(self.device, QuietDevice) and not self.device.can_time_out
        with trio.move_on_after(math.inf if quiet else TICK_S):
            await trio.lowlevel.wait_readable(fd)


class PtyLine(_Carrier):
    """A device on a pty. ``path`` becomes a symlink to the terminal's side while the device is plugged in.

    Start ``run`` in a nursery (it reports started once ``path`` is there); cancel it to end.
    """

    def __init__(self, path: Path, device: LineDevice) -> None:
        super().__init__(device)
        self.path = path
        self._ends: tuple[int, int] | None = None  # ours, and the terminal's kept open so that nobody's close hangs up
        self._plugged_in = trio.Event()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        self.plug()
        task_status.started()
        try:
            while True:
                await self._plugged_in.wait()
                if self._ends is not None:
                    await self._carry(self._ends[0])
                await trio.lowlevel.checkpoint()
        finally:
            self.unplug()

    def plug(self) -> None:
        """Plug the device in (no effect if it is): a new pty under the old name."""
        if self._ends is not None:
            return
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        self._ends = (ours, theirs)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        beside.symlink_to(os.ttyname(theirs))
        beside.replace(self.path)
        self._plugged_in.set()

    def unplug(self) -> None:
        """Pull the cable: the terminal's next read or write fails, and the name is gone."""
        if self._ends is None:
            return
        self._plugged_in = trio.Event()
        self.path.unlink(missing_ok=True)
        trio.lowlevel.notify_closing(self._ends[0])
        for end in self._ends:
            os.close(end)
        self._ends = None

    def power_cut(self) -> None:
        """The device loses its power and gets it back; the cable stays."""
        self.device.power_cut()


class SerialPortLine(_Carrier):
    """The same device on a real serial port, 8N1, for people who test a terminal with a cable."""

    def __init__(self, path: Path, device: LineDevice, baud: int = 9600) -> None:
        super().__init__(device)
        self.path = path
        self._speed: int = getattr(termios, f"B{baud}")

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Returns when the port is gone.

        Raises:
            OSError: the port cannot be opened.
        """
        fd = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            tty.setraw(fd)
            attributes = termios.tcgetattr(fd)
            attributes[2] |= termios.CLOCAL | termios.CREAD
            attributes[4] = attributes[5] = self._speed
            termios.tcsetattr(fd, termios.TCSANOW, attributes)
            task_status.started()
            await self._carry(fd)
        finally:
            os.close(fd)


def line_for(path: Path, device: LineDevice, baud: int = 9600) -> PtyLine | SerialPortLine:
    """A pty under ``path``, or the real port if ``path`` is one already."""
    if path.is_char_device() and path.resolve().parent != Path("/dev/pts"):  # a link we left behind is no port
        return SerialPortLine(path, device, baud)
    return PtyLine(path, device)
