"""A USB device as its computer sees it: descriptors, control requests, two bulk pipes. Knows nothing of the carrier.

Source: USB 2.0, chapter 9 (tables 9-4, 9-8, 9-10, 9-12, 9-13). One configuration, one interface, one endpoint each way.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

GET_STATUS, CLEAR_FEATURE = 0, 1
GET_DESCRIPTOR, GET_CONFIGURATION, SET_CONFIGURATION = 6, 8, 9
GET_INTERFACE, SET_INTERFACE = 10, 11
DEVICE, CONFIGURATION, STRING = 1, 2, 3
CONFIGURED = 1  # the number of the only configuration
BULK_OUT, BULK_IN = 0x01, 0x82
PACKET_BYTES = 64  # of a full-speed bulk endpoint
_SETUP = struct.Struct("<BBHHH")
_TO_HOST = 0x80
_STANDARD, _KIND_MASK = 0x00, 0x60


@dataclass(frozen=True)
class Setup:
    """The eight bytes of a control request."""

    request_type: int
    request: int
    value: int
    index: int
    length: int

    @property
    def to_host(self) -> bool:
        return bool(self.request_type & _TO_HOST)

    @property
    def standard(self) -> bool:
        return self.request_type & _KIND_MASK == _STANDARD


def setup_of(packet: bytes) -> Setup:
    return Setup(*_SETUP.unpack(packet))


@dataclass(frozen=True)
class Plate:
    """What stands on the device. Ids are those of a maker; texts are read by the guest's udev."""

    vendor: int
    product: int
    interface_class: int
    interface_subclass: int
    interface_protocol: int
    maker: str
    model: str
    serial: str


class Stalled(Exception):
    """The device does not know this request: it answers STALL, and waits for the next."""


class BulkDevice:
    """Subclasses answer class requests and take bulk data; ``said`` holds what the device has to say.

    The carrier sets ``on_said`` and takes from ``said``; it asks ``room`` before it hands bulk data over.
    """

    def __init__(self, plate: Plate) -> None:
        self.plate = plate
        self.said = bytearray()
        self.on_said: Callable[[], None] = lambda: None
        self._configuration = 0

    @property
    def room(self) -> int:
        """Bytes that it takes now; below a packet it answers NAK, and the computer waits."""
        raise NotImplementedError

    def take(self, chunk: bytes) -> None:
        """Bulk data from the computer, at most ``room``."""
        raise NotImplementedError

    @property
    def can_time_out(self) -> bool:
        """Whether anything inside waits for time to pass, as of a ``QuietDevice``."""
        raise NotImplementedError

    def tick(self, now_s: float) -> None:
        """Let time pass (monotonic seconds)."""
        raise NotImplementedError

    def class_request(self, setup: Setup, sent: bytes) -> bytes:
        """Raises Stalled."""
        raise NotImplementedError

    # --- control --------------------------------------------------------------------------------------------------

    def control(self, setup: Setup, sent: bytes = b"") -> bytes:
        """One request on endpoint 0; the answer is cut to the length asked for. Raises Stalled."""
        answer = self._standard(setup) if setup.standard else self.class_request(setup, sent)
        return answer[: setup.length] if setup.to_host else b""

    def _standard(self, setup: Setup) -> bytes:
        if setup.request == GET_DESCRIPTOR:
            return self._descriptor(setup.value >> 8, setup.value & 0xFF)
        if setup.request == SET_CONFIGURATION and setup.value in (0, CONFIGURED):
            self._configuration = setup.value
            return b""
        answers = {
            GET_CONFIGURATION: bytes((self._configuration,)),
            GET_STATUS: b"\x01\x00" if setup.request_type == _TO_HOST else b"\x00\x00",  # self-powered, nothing halted
            GET_INTERFACE: b"\x00",
            SET_INTERFACE: b"",
            CLEAR_FEATURE: b"",  # an endpoint that was stalled is not; ours never are
        }
        if setup.request not in answers or (setup.request == SET_INTERFACE and setup.value):
            raise Stalled
        return answers[setup.request]

    def _descriptor(self, kind: int, number: int) -> bytes:
        if kind == DEVICE:
            return self.device_descriptor
        if kind == CONFIGURATION and number == 0:
            return self.configuration_descriptor
        texts = ("", self.plate.maker, self.plate.model, self.plate.serial)
        if kind == STRING and number == 0:
            return b"\x04\x03\x09\x04"  # in one language, English
        if kind == STRING and number < len(texts):
            text = texts[number].encode("utf-16-le")
            return bytes((2 + len(text), STRING)) + text
        raise Stalled

    @property
    def device_descriptor(self) -> bytes:
        ids = struct.pack("<HHH", self.plate.vendor, self.plate.product, 0x0100)
        return b"\x12\x01\x00\x02\x00\x00\x00\x40" + ids + b"\x01\x02\x03\x01"

    @property
    def configuration_descriptor(self) -> bytes:
        plate = self.plate
        kind = (plate.interface_class, plate.interface_subclass, plate.interface_protocol)
        parts = bytes((9, 4, 0, 0, 2, *kind, 0)) + _endpoint(BULK_OUT) + _endpoint(BULK_IN)
        return struct.pack("<BBHBBBBB", 9, CONFIGURATION, 9 + len(parts), 1, CONFIGURED, 0, 0xC0, 1) + parts


def _endpoint(address: int) -> bytes:
    return struct.pack("<BBBBHB", 7, 5, address, 2, PACKET_BYTES, 0)
