"""Input devices of the kernel (/dev/input/event*), for reading. No library: two ioctls and ``read``."""

import array
import errno
import fcntl
import os
from contextlib import suppress
from typing import Final

import trio

from drivers.transport.line import LineLost

RECEIVE_BYTES_MAX: Final = 64 * 24
_GONE: Final = (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO)
_SWITCHES_BYTES: Final = 8


class EventDevice:
    """Bytes of ``struct input_event``, and the switches as they are now."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._open = True

    async def receive(self) -> bytes:
        """At least one byte, as soon as there is one. Raises LineLost."""
        while True:
            try:
                await trio.lowlevel.wait_readable(self._fd)
                chunk = os.read(self._fd, RECEIVE_BYTES_MAX)
            except BlockingIOError:
                continue
            except (OSError, trio.ClosedResourceError) as error:
                raise LineLost("lost") from error
            if not chunk:
                raise LineLost("lost")
            return chunk

    def switches(self) -> bytes | None:
        """Every switch as one bit (EVIOCGSW); None: this is no input device, only something that sends like one.

        Raises:
            LineLost.
        """
        bits = array.array("B", bytes(_SWITCHES_BYTES))
        try:
            fcntl.ioctl(self._fd, _eviocgsw(_SWITCHES_BYTES), bits)
        except OSError as error:
            if error.errno in (errno.ENOTTY, errno.EINVAL):
                return None
            raise LineLost("lost") from error
        return bits.tobytes()

    def close(self) -> None:
        """Never fails."""
        if self._open:
            self._open = False
            trio.lowlevel.notify_closing(self._fd)
            with suppress(OSError):
                os.close(self._fd)


def open_event_device(path: str) -> EventDevice:
    """Raises LineLost: "absent", or "busy" where its permissions or another owner forbid it."""
    try:
        return EventDevice(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError as error:
        raise LineLost("absent" if error.errno in _GONE else "busy") from error


def _eviocgsw(length: int) -> int:
    """_IOC(_IOC_READ, 'E', 0x1b, length) of linux/input.h."""
    return 2 << 30 | length << 16 | ord("E") << 8 | 0x1B
