"""usbredir: how a USB device travels over a socket to qemu's ``usb-redir``. Packets as values, both ways.

Source: "USB Network Redirection protocol description", version 0.7 (usbredir, of the spice project).
Little endian. A packet is type, length (u32) and id, a header of its type, and data. We are the "usb-host", the side
that has the device. How long ids and headers are depends on the capabilities that both sides name in their hellos; qemu
wants four of them at an xHCI port, and who lacks one is refused here, so that there is one form of each packet.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

_FIRST_HEAD = struct.Struct("<III")  # of the hello, before anybody's capabilities are known
_HEAD = struct.Struct("<IIQ")
_CONTROL = struct.Struct("<BBBBHHH")  # endpoint, request, request type, status, value, index, length
_BULK = struct.Struct("<BBHIH")  # endpoint, status, length, stream, upper half of the length
VERSION_BYTES = 64
BODY_BYTES_MAX = 1 << 20
FULL_SPEED = 1
ENDPOINTS = 32  # 0 to 15 out, 16 to 31 in
UNUSED_ENDPOINT, CONTROL_ENDPOINT, BULK_ENDPOINT = 255, 0, 2
WORDS = b"yikatong simulator"


class Kind(IntEnum):
    HELLO = 0
    DEVICE_CONNECT = 1
    RESET = 3
    INTERFACE_INFO = 4
    EP_INFO = 5
    SET_CONFIGURATION = 6
    GET_CONFIGURATION = 7
    CONFIGURATION_STATUS = 8
    SET_ALT_SETTING = 9
    GET_ALT_SETTING = 10
    ALT_SETTING_STATUS = 11
    CANCEL_DATA_PACKET = 21
    CONTROL_PACKET = 100
    BULK_PACKET = 101


class Capability(IntEnum):
    CONNECT_DEVICE_VERSION = 1
    EP_INFO_MAX_PACKET_SIZE = 4
    LONG_IDS = 5  # 64 bits
    LONG_BULK = 6  # 32 bits


class Status(IntEnum):
    SUCCESS = 0
    CANCELLED = 1
    INVALID = 2
    STALL = 4


CAPABILITIES = sum(1 << one for one in Capability)


class RedirError(Exception):
    """The other side does not speak usbredir as we do."""


@dataclass(frozen=True)
class Packet:
    kind: int
    number: int  # the id; an answer carries that of its question
    body: bytes = b""


@dataclass(frozen=True)
class ControlPacket:
    endpoint: int
    request: int
    request_type: int
    value: int
    index: int
    length: int
    sent: bytes


@dataclass(frozen=True)
class BulkPacket:
    endpoint: int
    length: int
    sent: bytes


def encode(kind: Kind, number: int = 0, body: bytes = b"") -> bytes:
    return _HEAD.pack(kind, len(body), number) + body


def hello() -> bytes:
    body = WORDS.ljust(VERSION_BYTES, b"\0") + CAPABILITIES.to_bytes(4, "little")
    return _FIRST_HEAD.pack(Kind.HELLO, len(body), 0) + body


def check_hello(body: bytes) -> None:
    """Raises RedirError: no hello, or from one who lacks what we need."""
    if len(body) < VERSION_BYTES or int.from_bytes(body[VERSION_BYTES:], "little") & CAPABILITIES != CAPABILITIES:
        raise RedirError("the other side lacks capabilities")


def device_connect(device_descriptor: bytes) -> bytes:
    """``device_descriptor`` has class at 4, vendor, product and version at 8 (USB 2.0, table 9-8)."""
    return encode(Kind.DEVICE_CONNECT, body=bytes((FULL_SPEED,)) + device_descriptor[4:7] + device_descriptor[8:14])


def interface_info(kind: tuple[int, int, int]) -> bytes:
    """Of the only interface: class, subclass, protocol."""
    columns = b"".join(bytes((one,)).ljust(ENDPOINTS, b"\0") for one in (0, *kind))
    return encode(Kind.INTERFACE_INFO, body=(1).to_bytes(4, "little") + columns)


def ep_info(bulk: dict[int, int]) -> bytes:
    """``bulk``: address of each bulk endpoint and its packet's bytes."""
    kinds, sizes = [UNUSED_ENDPOINT] * ENDPOINTS, [0] * ENDPOINTS
    kinds[0] = kinds[16] = CONTROL_ENDPOINT
    for address, packet_bytes in bulk.items():
        place = (address & 0x0F) + (16 if address & 0x80 else 0)
        kinds[place], sizes[place] = BULK_ENDPOINT, packet_bytes
    columns = bytes(kinds) + bytes(ENDPOINTS) + bytes(ENDPOINTS)  # kind, interval, interface
    return encode(Kind.EP_INFO, body=columns + struct.pack(f"<{ENDPOINTS}H", *sizes))


def control_answer(number: int, asked: ControlPacket, status: Status, content: bytes = b"") -> bytes:
    """``length`` of an answer that goes to the host is what it got; of one from the host, what was taken."""
    length = len(content) if asked.endpoint & 0x80 else (asked.length if status is Status.SUCCESS else 0)
    head = _CONTROL.pack(asked.endpoint, asked.request, asked.request_type, status, asked.value, asked.index, length)
    return encode(Kind.CONTROL_PACKET, number, head + content)


def bulk_answer(number: int, endpoint: int, status: Status, length: int, content: bytes = b"") -> bytes:
    return encode(Kind.BULK_PACKET, number, _BULK.pack(endpoint, status, length & 0xFFFF, 0, length >> 16) + content)


def control_packet(body: bytes) -> ControlPacket:
    """Raises RedirError."""
    if len(body) < _CONTROL.size:
        raise RedirError("a control packet without its header")
    endpoint, request, request_type, _, value, index, length = _CONTROL.unpack_from(body)
    return ControlPacket(endpoint, request, request_type, value, index, length, body[_CONTROL.size :])


def bulk_packet(body: bytes) -> BulkPacket:
    """Raises RedirError."""
    if len(body) < _BULK.size:
        raise RedirError("a bulk packet without its header")
    endpoint, _, length, _, upper = _BULK.unpack_from(body)
    return BulkPacket(endpoint, upper << 16 | length, body[_BULK.size :])


class Decoder:
    """Bytes in, packets out; holds at most one packet of BODY_BYTES_MAX."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._head = _FIRST_HEAD

    def receive(self, chunk: bytes) -> list[Packet]:
        """Raises RedirError: a length that nobody sends."""
        self._held += chunk
        found = []
        while len(self._held) >= self._head.size:
            kind, length, number = self._head.unpack_from(self._held)
            if length > BODY_BYTES_MAX:
                raise RedirError(f"a packet of {length} bytes")
            ends = self._head.size + length
            if len(self._held) < ends:
                break
            found.append(Packet(kind, number, bytes(self._held[self._head.size : ends])))
            del self._held[:ends]
            self._head = _HEAD
        return found
