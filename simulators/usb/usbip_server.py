"""A USB device for a Linux that is not a qemu of ours: ``usbip --tcp-port N attach -r 127.0.0.1 -b 1-1``.

One device, one computer at a time; the end of the connection is the unplugged cable. Loopback only. A guest reaches it
at the address that stands for its host (10.0.2.2 in qemu's user network).
"""

from collections.abc import Callable

import trio

from simulators.usb import usbip
from simulators.usb.carrying import Outgoing, carry_device
from simulators.usb.device import BulkDevice, Stalled
from simulators.usb.transfers import BulkTransfers, Done

LOOPBACK = "127.0.0.1"


class UsbIpConversation:
    """USB/IP with one device behind it: bytes in, bytes out by ``tell``. ``take`` says whether nobody had it yet."""

    def __init__(self, device: BulkDevice, tell: Callable[[bytes], None], take: Callable[[], bool]) -> None:
        self._device, self._tell, self._take = device, tell, take
        self._decoder = usbip.Decoder()
        self.attached = False
        self.transfers: BulkTransfers | None = None

    def receive(self, chunk: bytes) -> None:
        """Raises usbip.UsbIpError, simulators.usb.transfers.TooManyTransfers."""
        for question in self._decoder.receive(chunk):
            match question:
                case usbip.DevList():
                    self._tell(usbip.dev_list(self._device))
                case usbip.Import(bus_id=bus_id):
                    self._import(bus_id)
                case usbip.Submit():
                    self._submit(question)
                case usbip.Unlink():
                    self._unlink(question)

    def _import(self, bus_id: str) -> None:
        self.attached = bus_id == usbip.BUS_ID and self._take()
        if self.attached:
            self.transfers = BulkTransfers(self._device, self._done)
        self._tell(usbip.imported(self._device if self.attached else None))

    def _submit(self, asked: usbip.Submit) -> None:
        if self.transfers is None:
            raise usbip.UsbIpError("a transfer with a device that was refused")
        if asked.endpoint == 0:
            self._control(asked)
        elif asked.to_host:
            self.transfers.ask(asked.number, asked.length)
        else:
            self.transfers.send(asked.number, asked.sent)

    def _control(self, asked: usbip.Submit) -> None:
        try:
            content = self._device.control(asked.setup, asked.sent)
        except Stalled:
            self._tell(usbip.submitted(asked.number, usbip.STALLED, 0))
        else:
            length = len(content) if asked.to_host else len(asked.sent)
            self._tell(usbip.submitted(asked.number, 0, length, content))

    def _unlink(self, asked: usbip.Unlink) -> None:
        was_open = self.transfers is not None and self.transfers.cancel(asked.which)
        self._tell(usbip.unlinked(asked.number, usbip.UNLINKED if was_open else 0))

    def _done(self, done: Done) -> None:
        self._tell(usbip.submitted(done.number, 0, done.length, done.content))


class UsbIpServer:
    """``await nursery.start(server.run)`` gives the port."""

    def __init__(self, device: BulkDevice) -> None:
        self.device = device
        self.port = 0
        self._taken = False

    async def run(self, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled."""
        listeners = await trio.open_tcp_listeners(0, host=LOOPBACK)
        self.port = listeners[0].socket.getsockname()[1]
        task_status.started(self.port)
        await trio.serve_listeners(self._serve, listeners)

    def _take(self) -> bool:
        free, self._taken = not self._taken, True
        return free

    async def _serve(self, stream: trio.SocketStream) -> None:
        outgoing = Outgoing()
        conversation = UsbIpConversation(self.device, outgoing.put, self._take)
        try:
            async with stream:
                await carry_device(stream, self.device, conversation, outgoing)
        except* (trio.BrokenResourceError, usbip.UsbIpError):
            pass  # whoever it was is gone, or no USB/IP client
        finally:
            self._taken = self._taken and not conversation.attached
