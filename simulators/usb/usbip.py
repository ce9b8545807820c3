"""USB/IP: how Linux attaches a USB device over TCP (``usbip attach``). Packets as values, both ways.

Source: the kernel's Documentation/usb/usbip_protocol.rst, version 1.1.1. Big endian. First operations (list, import),
then on the same connection commands of 48 bytes each, with the data of a transfer behind them.
"""

import struct
from dataclasses import dataclass

from simulators.usb.device import CONFIGURED, BulkDevice, Setup, setup_of

VERSION = 0x0111
REQ_DEVLIST, REQ_IMPORT, REP_DEVLIST, REP_IMPORT = 0x8005, 0x8003, 0x0005, 0x0003
SUBMIT, UNLINK, RET_SUBMIT, RET_UNLINK = 1, 2, 3, 4
BUS_ID, BUS_ID_BYTES = "1-1", 32
STALLED, UNLINKED = -32, -104  # -EPIPE, -ECONNRESET: what a real host's kernel answers
TRANSFER_BYTES_MAX = 1 << 20
_FULL_SPEED = 2
_OPERATION = struct.Struct(">HHI")
_DEVICE = struct.Struct(">256s32sIIIHHHBBBBBB")
_COMMAND = struct.Struct(">IIIII")  # command, number, device, direction, endpoint
_SUBMIT = struct.Struct(">Iiiii8s")  # flags, length, start frame, packets, interval, set-up
COMMAND_BYTES = 48


class UsbIpError(Exception):
    """The other side does not speak USB/IP as we do."""


@dataclass(frozen=True)
class Import:
    bus_id: str


@dataclass(frozen=True)
class DevList:
    pass


@dataclass(frozen=True)
class Submit:
    number: int
    to_host: bool
    endpoint: int
    length: int
    setup: Setup
    sent: bytes


@dataclass(frozen=True)
class Unlink:
    number: int
    which: int


Question = Import | DevList | Submit | Unlink


def dev_list(device: BulkDevice) -> bytes:
    plate = device.plate
    kind = bytes((plate.interface_class, plate.interface_subclass, plate.interface_protocol, 0))
    return _OPERATION.pack(VERSION, REP_DEVLIST, 0) + (1).to_bytes(4, "big") + _described(device) + kind


def imported(device: BulkDevice | None) -> bytes:
    """None: there is no such device, or it is attached elsewhere."""
    if device is None:
        return _OPERATION.pack(VERSION, REP_IMPORT, 1)
    return _OPERATION.pack(VERSION, REP_IMPORT, 0) + _described(device)


def _described(device: BulkDevice) -> bytes:
    path, plate = b"/sys/devices/simulated/usb1/1-1", device.plate
    numbers = (1, 2, _FULL_SPEED, plate.vendor, plate.product, 0x0100, 0, 0, 0, CONFIGURED, 1, 1)
    return _DEVICE.pack(path, BUS_ID.encode(), *numbers)


def submitted(number: int, status: int, length: int, content: bytes = b"") -> bytes:
    head = _COMMAND.pack(RET_SUBMIT, number, 0, 0, 0) + struct.pack(">iiiii8x", status, length, 0, 0, 0)
    return head + content


def unlinked(number: int, status: int) -> bytes:
    """``status`` UNLINKED if the transfer was still open, 0 if it had been answered."""
    return _COMMAND.pack(RET_UNLINK, number, 0, 0, 0) + struct.pack(">i24x", status)


class Decoder:
    """Bytes in, questions out; holds at most one transfer."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._attached = False

    def receive(self, chunk: bytes) -> list[Question]:
        """Raises UsbIpError."""
        self._held += chunk
        found: list[Question] = []
        while (question := self._command() if self._attached else self._operation()) is not None:
            found.append(question)
            self._attached = self._attached or isinstance(question, Import)
        return found

    def _operation(self) -> Question | None:
        if len(self._held) < _OPERATION.size:
            return None
        version, code, _ = _OPERATION.unpack_from(self._held)
        if version >> 8 != VERSION >> 8 or code not in (REQ_DEVLIST, REQ_IMPORT):
            raise UsbIpError("neither list nor import")
        if code == REQ_DEVLIST:
            del self._held[: _OPERATION.size]
            return DevList()
        if len(self._held) < _OPERATION.size + BUS_ID_BYTES:
            return None
        name = bytes(self._taken(_OPERATION.size + BUS_ID_BYTES)[_OPERATION.size :])
        return Import(name.rstrip(b"\0").decode("ascii", "replace"))

    def _command(self) -> Question | None:
        if len(self._held) < COMMAND_BYTES:
            return None
        command, number, _, direction, endpoint = _COMMAND.unpack_from(self._held)
        if command == UNLINK:
            return Unlink(number, int.from_bytes(self._taken(COMMAND_BYTES)[20:24], "big"))
        if command != SUBMIT:
            raise UsbIpError("neither submit nor unlink")
        _, length, _, _, _, setup = _SUBMIT.unpack_from(self._held, _COMMAND.size)
        if not 0 <= length <= TRANSFER_BYTES_MAX:
            raise UsbIpError(f"a transfer of {length} bytes")
        sent_bytes = 0 if direction else length
        if len(self._held) < COMMAND_BYTES + sent_bytes:
            return None
        sent = self._taken(COMMAND_BYTES + sent_bytes)[COMMAND_BYTES:]
        return Submit(number, bool(direction), endpoint, length, setup_of(setup), sent)

    def _taken(self, length: int) -> bytes:
        head = bytes(self._held[:length])
        del self._held[:length]
        return head
