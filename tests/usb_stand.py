"""The same receipt printer behind USB, as a backend for pyusb: descriptors, claims, bulk transfers, and the unplug.

``usb.core.find(backend=UsbPrinterBackend(printer))`` sees one printer-class device. Written from the USB printer class
definition 1.1 and pyusb's ``usb.backend.IBackend``.
"""

import errno
import threading
from array import array
from types import SimpleNamespace
from typing import Any

import usb.backend
import usb.core

from simulators.devices.escpos import EscposPrinter

VENDOR, PRODUCT = 0x0FE6, 0x811E  # ids that many unbranded Chinese receipt printers share
BULK_OUT, BULK_IN = 0x01, 0x82
PACKET_BYTES = 64

_DEVICE = SimpleNamespace(
    bLength=18, bDescriptorType=1, bcdUSB=0x0200, bDeviceClass=0, bDeviceSubClass=0, bDeviceProtocol=0,
    bMaxPacketSize0=64, idVendor=VENDOR, idProduct=PRODUCT, bcdDevice=0x0100, iManufacturer=0, iProduct=0,
    iSerialNumber=0, bNumConfigurations=1, bus=1, address=1, port_number=1, port_numbers=(1,), speed=2,
)  # fmt: skip
_CONFIGURATION = SimpleNamespace(
    bLength=9, bDescriptorType=2, wTotalLength=32, bNumInterfaces=1, bConfigurationValue=1, iConfiguration=0,
    bmAttributes=0xC0, bMaxPower=1, extra_descriptors=[],
)  # fmt: skip
_INTERFACE = SimpleNamespace(
    bLength=9, bDescriptorType=4, bInterfaceNumber=0, bAlternateSetting=0, bNumEndpoints=2, bInterfaceClass=7,
    bInterfaceSubClass=1, bInterfaceProtocol=2, iInterface=0, extra_descriptors=[],
)  # fmt: skip


def _endpoint(address: int) -> SimpleNamespace:
    return SimpleNamespace(
        bLength=7, bDescriptorType=5, bEndpointAddress=address, bmAttributes=2, wMaxPacketSize=PACKET_BYTES,
        bInterval=0, bRefresh=0, bSynchAddress=0, extra_descriptors=[],
    )  # fmt: skip


class UsbPrinterBackend(usb.backend.IBackend):
    """Hands: ``unplug``, ``busy`` (somebody else claimed it), ``kernel_driver`` (usblp holds it), ``stalls``."""

    def __init__(self, printer: EscposPrinter) -> None:
        self.printer = printer
        self.plugged = True
        self.busy = False
        self.kernel_driver = True
        self.stalls = 0
        self.claimed = False
        self._said = bytearray()
        self._more = threading.Condition()
        printer.wire = self._hear

    def _hear(self, chunk: bytes) -> None:
        with self._more:
            self._said += chunk
            self._more.notify_all()

    def unplug(self) -> None:
        with self._more:
            self.plugged = False
            self._more.notify_all()

    def _present(self) -> None:
        if not self.plugged:
            raise usb.core.USBError("No such device", None, errno.ENODEV)

    def enumerate_devices(self) -> Any:
        return iter([object()] if self.plugged else [])

    def get_device_descriptor(self, dev: Any) -> SimpleNamespace:
        return _DEVICE

    def get_configuration_descriptor(self, dev: Any, config: int) -> SimpleNamespace:
        if config:
            raise IndexError(config)
        return _CONFIGURATION

    def get_interface_descriptor(self, dev: Any, intf: int, alt: int, config: int) -> SimpleNamespace:
        if intf or alt or config:
            raise IndexError(intf)
        return _INTERFACE

    def get_endpoint_descriptor(self, dev: Any, ep: int, intf: int, alt: int, config: int) -> SimpleNamespace:
        return _endpoint((BULK_OUT, BULK_IN)[ep])

    def open_device(self, dev: Any) -> object:
        self._present()
        return object()

    def close_device(self, dev_handle: Any) -> None:
        self.claimed = False

    def get_configuration(self, dev_handle: Any) -> int:
        return 1

    def is_kernel_driver_active(self, dev_handle: Any, intf: int) -> bool:
        return self.kernel_driver

    def detach_kernel_driver(self, dev_handle: Any, intf: int) -> None:
        self.kernel_driver = False

    def claim_interface(self, dev_handle: Any, intf: int) -> None:
        if self.busy or self.kernel_driver or self.claimed:
            raise usb.core.USBError("Resource busy", None, errno.EBUSY)
        self.claimed = True

    def release_interface(self, dev_handle: Any, intf: int) -> None:
        self._present()
        self.claimed = False

    def clear_halt(self, dev_handle: Any, ep: int) -> None:
        self._present()

    def bulk_write(self, dev_handle: Any, ep: int, intf: int, data: Any, timeout: int) -> int:
        """Takes at most sixteen packets at a time, as a small device does."""
        self._present()
        if self.stalls:
            self.stalls -= 1
            raise usb.core.USBError("Pipe error", None, errno.EPIPE)
        chunk = bytes(data)[: 16 * PACKET_BYTES]
        self.printer.receive(chunk)
        return len(chunk)

    def bulk_read(self, dev_handle: Any, ep: int, intf: int, buff: Any, timeout: int) -> int:
        with self._more:
            self._more.wait_for(lambda: self._said or not self.plugged, timeout / 1000)
            self._present()
            if not self._said:
                raise usb.core.USBTimeoutError("Operation timed out", None, errno.ETIMEDOUT)
            chunk = bytes(self._said[: len(buff)])
            del self._said[: len(chunk)]
        buff[: len(chunk)] = array("B", chunk)
        return len(chunk)
