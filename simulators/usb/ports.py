"""The USB ports of an emulated terminal: what is at each, by which serial number, and what qemu must be told.

qemu listens on one UNIX socket for each port; the counterparts connect. Kept short: a socket's path has 107 bytes.
"""

from pathlib import Path

CARD, SAM = "CARD01", "SAM01"
PIN_PAD, CASH, LIGHTS = "PINPAD01", "CASH01", "LIGHTS01"
RECEIPT_PRINTER = "RP01"
READERS = {"card": CARD, "sam": SAM}
SERIAL_LINES = {"pin-pad": PIN_PAD, "cash-acceptor": CASH, "lights": LIGHTS}  # name under /dev/kiosk -> number
PRINTERS = ("receipt",)
HUB = "usb"


def socket_of(folder: Path, name: str) -> Path:
    return folder / name


def qemu_arguments(folder: Path) -> list[str]:
    """Controller, ports and their sockets in ``folder``, which is there."""
    words = ["-device", f"qemu-xhci,id={HUB},p2=8,p3=8"]
    for name, serial in READERS.items():
        words += ["-device", f"usb-ccid,id={name}-reader,bus={HUB}.0,serial={serial}"]
        words += [*_chardev(folder, name), "-device", f"ccid-card-passthru,chardev={name},bus={name}-reader.0"]
    for name, serial in SERIAL_LINES.items():
        words += [*_chardev(folder, name), "-device", f"usb-serial,chardev={name},serial={serial},bus={HUB}.0"]
    for name in PRINTERS:
        words += [*_chardev(folder, name), "-device", f"usb-redir,chardev={name},bus={HUB}.0"]
    return words


def _chardev(folder: Path, name: str) -> list[str]:
    return ["-chardev", f"socket,id={name},path={socket_of(folder, name)},server=on,wait=off"]
