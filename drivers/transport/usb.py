"""USB printers as a line: two bulk endpoints of a printer-class interface. The only module that imports pyusb.

pyusb blocks, so each transfer runs in a thread of its own; a read waits at most ``READ_S`` so that closing is bounded.
Field reports behind this: usblp holds the interface (detach it), a second open is "busy", a stalled endpoint answers
EPIPE until it is cleared, and a printer that is switched off re-enumerates as another device.
"""

import errno
from typing import Any

import trio
import usb.core
import usb.util

from drivers.transport.line import LineLost

PRINTER_CLASS = 7
READ_S = 1.0
WRITE_S = 5.0  # a printer that takes nothing for so long is as good as gone
CHUNK_BYTES = 4096
_STALLS_MAX = 3  # in a row


class UsbLine:
    """Implements ``Line``; there is nothing to lend."""

    def __init__(self, device: Any, interface: Any, bulk_out: Any, bulk_in: Any) -> None:
        self._device = device
        self._interface: int = interface.bInterfaceNumber
        self._out = bulk_out
        self._in = bulk_in
        self._open = True

    async def send(self, chunk: bytes) -> None:
        """A chunk cut short by the device is continued, never repeated."""
        rest = bytes(chunk)
        while rest:
            rest = rest[await self._transfer(self._write, rest[:CHUNK_BYTES]) :]

    async def receive(self) -> bytes:
        while True:
            chunk: bytes = await self._transfer(self._read, b"")
            if chunk:
                return chunk

    async def _transfer(self, act: Any, chunk: bytes) -> Any:
        for _ in range(_STALLS_MAX):
            if not self._open:
                break
            try:
                return await trio.to_thread.run_sync(act, chunk, abandon_on_cancel=True)
            except usb.core.USBError as error:
                if error.errno != errno.EPIPE:
                    raise LineLost("lost") from error
                await trio.to_thread.run_sync(self._clear_stall, act)
        raise LineLost("lost")

    def _write(self, chunk: bytes) -> int:
        return int(self._out.write(chunk, int(WRITE_S * 1000)))

    def _read(self, _: bytes) -> bytes:
        """Whatever came within ``READ_S``; empty when nothing did."""
        try:
            return bytes(self._in.read(CHUNK_BYTES, int(READ_S * 1000)))
        except usb.core.USBTimeoutError:
            return b""

    def _clear_stall(self, act: Any) -> None:
        try:
            (self._out if act == self._write else self._in).clear_halt()
        except usb.core.USBError as error:
            raise LineLost("lost") from error

    def lend(self) -> int:
        raise LineLost("not_lendable")

    def take_back(self) -> None:
        """Nothing was lent."""

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        try:
            usb.util.release_interface(self._device, self._interface)
            usb.util.dispose_resources(self._device)
        except usb.core.USBError:
            return  # gone already


async def open_usb(vendor: int = 0, product: int = 0, serial: str = "", backend: Any = None) -> UsbLine:
    """Claim a printer: the one with these ids and serial number, or with zeros the first of printer class.

    Raises:
        LineLost: "absent" or "busy".
    """
    return await trio.to_thread.run_sync(_open, vendor, product, serial, backend)


def _open(vendor: int, product: int, serial: str, backend: Any) -> UsbLine:
    def wanted(device: Any) -> bool:
        if vendor and (device.idVendor, device.idProduct) != (vendor, product):
            return False
        return _printer_interface(device) is not None and (not serial or device.serial_number == serial)

    try:
        device = usb.core.find(custom_match=wanted, backend=backend)
        if device is None:
            raise LineLost("absent")
        return _claim(device)
    except usb.core.NoBackendError as error:
        raise LineLost("absent") from error
    except usb.core.USBError as error:
        raise LineLost("busy" if error.errno in (errno.EBUSY, errno.EACCES) else "absent") from error


def _claim(device: Any) -> UsbLine:
    interface = _printer_interface(device)
    number = interface.bInterfaceNumber
    try:
        if device.is_kernel_driver_active(number):
            device.detach_kernel_driver(number)
    except NotImplementedError:
        pass  # a platform without kernel drivers to detach
    # No set_configuration: on a configured device it resets the printer, and fails if anyone has claimed it.
    usb.util.claim_interface(device, number)
    ends = {usb.util.endpoint_direction(end.bEndpointAddress): end for end in interface}
    return UsbLine(device, interface, ends[usb.util.ENDPOINT_OUT], ends[usb.util.ENDPOINT_IN])


def _printer_interface(device: Any) -> Any:
    """The first printer-class interface with a bulk endpoint each way, or None."""
    for configuration in device:
        for interface in configuration:
            if interface.bInterfaceClass != PRINTER_CLASS:
                continue
            ends = [end for end in interface if usb.util.endpoint_type(end.bmAttributes) == usb.util.ENDPOINT_TYPE_BULK]
            if {usb.util.endpoint_direction(end.bEndpointAddress) for end in ends} == {0x00, 0x80}:
                return interface
    return None
