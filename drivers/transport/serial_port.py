"""Serial ports. The only module that imports pyserial, and it does so only to open and configure: reading and writing
wait for the descriptor in trio, so there is neither thread nor polling.

Also works on a pty, which takes baud rate and parity without effect and has no modem lines.
"""

import errno
import os
import termios
from contextlib import suppress
from typing import Final

import serial
import trio

from drivers.transport.line import LineLost

RECEIVE_BYTES_MAX: Final = 4096
_GONE: Final = (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO)
PARITIES: Final = {"N": serial.PARITY_NONE, "E": serial.PARITY_EVEN, "O": serial.PARITY_ODD}


class SerialLine:
    """Implements ``Line``."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port
        self._fd: int = port.fileno()
        self._open = True
        self._lent = False

    async def send(self, chunk: bytes) -> None:
        rest = memoryview(chunk)
        while rest:
            fd = self._owned()
            try:
                await trio.lowlevel.wait_writable(fd)
                rest = rest[os.write(fd, rest) :]
            except BlockingIOError:
                continue
            except (OSError, trio.ClosedResourceError) as error:
                raise LineLost("lost") from error

    async def receive(self) -> bytes:
        while True:
            fd = self._owned()
            try:
                await trio.lowlevel.wait_readable(fd)
                chunk = os.read(fd, RECEIVE_BYTES_MAX)
            except BlockingIOError:
                continue
            except (OSError, trio.ClosedResourceError) as error:
                raise LineLost("lost") from error
            if not chunk:  # ready, and nothing there: unplugged (pyserial's is_open would still be true)
                raise LineLost("lost")
            return chunk

    def lend(self) -> int:
        fd = self._owned()
        self._lent = True
        return fd

    def take_back(self) -> None:
        self._lent = False
        if not self._open:
            return
        with suppress(termios.error, OSError):  # a line that is gone says so at the next send or receive
            termios.tcflush(self._fd, termios.TCIOFLUSH)

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        trio.lowlevel.notify_closing(self._fd)
        with suppress(OSError, termios.error):
            self._port.close()

    def _owned(self) -> int:
        assert not self._lent, "the line is lent"
        if not self._open:
            raise LineLost("lost")
        return self._fd


def open_serial_line(path: str, baud: int = 9600, parity: str = "N", stop_bits: int = 1) -> SerialLine:
    """Open 8 data bits on a port that nobody else has open. Name it by ``/dev/serial/by-id`` or ``by-path``.

    Raises:
        LineLost: "absent" or "busy".
    """
    try:
        port = serial.Serial(
            path, baud, parity=PARITIES[parity], stopbits=stop_bits, timeout=0, write_timeout=0, exclusive=True
        )
        port.reset_input_buffer()
    except (serial.SerialException, termios.error) as error:  # the latter: unplugged while it was set up
        number = getattr(error, "errno", None) or (error.args[0] if error.args else None)
        raise LineLost("absent" if number in _GONE else "busy") from error
    return SerialLine(port)
