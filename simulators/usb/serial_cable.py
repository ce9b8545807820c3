"""A serial device behind qemu's ``usb-serial``: in the guest an FTDI adapter whose serial number qemu's option names.

What it cannot show: baud rate, parity, modem lines. qemu takes any speed and hands the bytes over as they come.
"""

from collections.abc import Callable
from pathlib import Path

import trio

from simulators.lines import LineDevice, QuietDevice
from simulators.usb.carrying import Outgoing, chunk_or_tick
from simulators.usb.socket_cable import SocketCable

WAITING_BYTES_MAX = 65_536  # what the guest has not taken; a UART would have lost it long before


class SerialCable(SocketCable):
    """Carries a ``LineDevice``. Unplugging takes only the cable; the device keeps its power, as in a terminal."""

    def __init__(self, path: Path, device: LineDevice, on_change: Callable[[], None] = lambda: None) -> None:
        super().__init__(path, on_change)
        self.device = device
        self._outgoing = Outgoing()
        device.wire = self._to_terminal

    def _to_terminal(self, chunk: bytes) -> None:
        if self.connected and len(self._outgoing) + len(chunk) <= WAITING_BYTES_MAX:
            self._outgoing.put(chunk)

    async def carry(self, stream: trio.SocketStream) -> None:
        self._outgoing.clear()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._outgoing.send_to, stream)
            while (chunk := await chunk_or_tick(stream, time_matters=self._time_matters)) is not None:
                self.device.tick(trio.current_time())
                if chunk:
                    self.device.receive(chunk)
            nursery.cancel_scope.cancel()

    @property
    def _time_matters(self) -> bool:
        return not isinstance(self.device, QuietDevice) or self.device.can_time_out
