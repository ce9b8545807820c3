"""A USB device at one of qemu's ports (``usb-redir``): plugged in and out by its cable, known by its descriptors.

The guest needs nothing for it: no module, no tool, no network. That is what it has over USB/IP (ADR 50).
"""

from collections.abc import Callable
from pathlib import Path

import trio

from simulators.usb import redir
from simulators.usb.carrying import Outgoing, carry_device
from simulators.usb.device import BULK_IN, BULK_OUT, CONFIGURED, PACKET_BYTES, BulkDevice, Setup, Stalled
from simulators.usb.redir import Kind, Status
from simulators.usb.socket_cable import SocketCable
from simulators.usb.transfers import BulkTransfers, Done

_ALT_SETTING = 0


class RedirConversation:
    """usbredir with one device behind it: bytes in, bytes out by ``tell``. Begins with our hello."""

    def __init__(self, device: BulkDevice, tell: Callable[[bytes], None]) -> None:
        self._device, self._tell = device, tell
        self._decoder = redir.Decoder()
        self._configuration = 0
        self.transfers: BulkTransfers | None = None  # before the other side's hello
        tell(redir.hello())

    def receive(self, chunk: bytes) -> None:
        """Raises redir.RedirError, simulators.usb.transfers.TooManyTransfers."""
        for packet in self._decoder.receive(chunk):
            answer = _ANSWERS.get(packet.kind)
            if answer is not None:
                answer(self, packet)

    def _greet(self, packet: redir.Packet) -> None:
        self.transfers = BulkTransfers(self._device, self._done)
        redir.check_hello(packet.body)
        plate = self._device.plate
        kind = (plate.interface_class, plate.interface_subclass, plate.interface_protocol)
        self._tell(redir.interface_info(kind))
        self._tell(redir.ep_info({BULK_OUT: PACKET_BYTES, BULK_IN: PACKET_BYTES}))
        self._tell(redir.device_connect(self._device.device_descriptor))

    def _configure(self, packet: redir.Packet) -> None:
        wanted = packet.body[0] if packet.body else 0
        if wanted not in (0, CONFIGURED):
            self._tell_configuration(packet.number, Status.STALL)
            return
        self._configuration = wanted
        self._tell_configuration(packet.number, Status.SUCCESS)

    def _say_configuration(self, packet: redir.Packet) -> None:
        self._tell_configuration(packet.number, Status.SUCCESS)

    def _tell_configuration(self, number: int, status: Status) -> None:
        self._tell(redir.encode(Kind.CONFIGURATION_STATUS, number, bytes((status, self._configuration))))

    def _say_alt_setting(self, packet: redir.Packet) -> None:
        wanted = packet.body[1] if packet.kind == Kind.SET_ALT_SETTING and len(packet.body) > 1 else _ALT_SETTING
        status = Status.SUCCESS if wanted == _ALT_SETTING else Status.STALL
        self._tell(redir.encode(Kind.ALT_SETTING_STATUS, packet.number, bytes((status, packet.body[0], _ALT_SETTING))))

    def _control(self, packet: redir.Packet) -> None:
        asked = redir.control_packet(packet.body)
        setup = Setup(asked.request_type, asked.request, asked.value, asked.index, asked.length)
        try:
            content = self._device.control(setup, asked.sent)
        except Stalled:
            self._tell(redir.control_answer(packet.number, asked, Status.STALL))
        else:
            self._tell(redir.control_answer(packet.number, asked, Status.SUCCESS, content))

    def _bulk(self, packet: redir.Packet) -> None:
        if self.transfers is None:
            raise redir.RedirError("a transfer before the hello")
        asked = redir.bulk_packet(packet.body)
        if asked.endpoint == BULK_OUT:
            self.transfers.send(packet.number, asked.sent)
        elif asked.endpoint == BULK_IN:
            self.transfers.ask(packet.number, asked.length)
        else:
            self._tell(redir.bulk_answer(packet.number, asked.endpoint, Status.INVALID, 0))

    def _cancel(self, packet: redir.Packet) -> None:
        """What is finished already has been answered; then this question crossed the answer, and needs none."""
        to_host = self.transfers is not None and self.transfers.asks(packet.number)
        if self.transfers is not None and self.transfers.cancel(packet.number):
            endpoint = BULK_IN if to_host else BULK_OUT
            self._tell(redir.bulk_answer(packet.number, endpoint, Status.CANCELLED, 0))

    def _done(self, done: Done) -> None:
        endpoint = BULK_IN if done.to_host else BULK_OUT
        self._tell(redir.bulk_answer(done.number, endpoint, Status.SUCCESS, done.length, done.content))

    def _reset(self, packet: redir.Packet) -> None:
        self._configuration = 0


_ANSWERS: dict[int, Callable[[RedirConversation, redir.Packet], None]] = {
    Kind.HELLO: RedirConversation._greet,
    Kind.RESET: RedirConversation._reset,
    Kind.SET_CONFIGURATION: RedirConversation._configure,
    Kind.GET_CONFIGURATION: RedirConversation._say_configuration,
    Kind.SET_ALT_SETTING: RedirConversation._say_alt_setting,
    Kind.GET_ALT_SETTING: RedirConversation._say_alt_setting,
    Kind.CANCEL_DATA_PACKET: RedirConversation._cancel,
    Kind.CONTROL_PACKET: RedirConversation._control,
    Kind.BULK_PACKET: RedirConversation._bulk,
}


class RedirCable(SocketCable):
    """Carries a ``BulkDevice``."""

    def __init__(self, path: Path, device: BulkDevice, on_change: Callable[[], None] = lambda: None) -> None:
        super().__init__(path, on_change)
        self.device = device

    async def carry(self, stream: trio.SocketStream) -> None:
        outgoing = Outgoing()
        await carry_device(stream, self.device, RedirConversation(self.device, outgoing.put), outgoing)
