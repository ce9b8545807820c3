"""The USB ports of an emulated terminal: what is at each, by which serial number, and what qemu must be told.

qemu listens on one UNIX socket for each port; the counterparts connect. Kept short: a socket's path has 107 bytes.
"""

from pathlib import Path

CARD, SAM = "CARD01", "SAM01"
PIN_PAD, CASH, LIGHTS = "PINPAD01", "CASH01", "LIGHTS01"
RECEIPT_PRINTER, PANEL = "RP01", "PANEL01"
READERS = {"card": CARD, "sam": SAM}
SERIAL_LINES = {"pin-pad": PIN_PAD, "cash-acceptor": CASH, "lights": LIGHTS}  # name under /dev/kiosk -> number
PRINTERS = ("receipt",)
HUB = "usb"


def socket_of(folder: Path, name: str) -> Path:
    return folder / name


def reader_of(name: str) -> tuple[dict[str, str], dict[str, str]]:
    """A card reader and its slot, as qemu's ``device_add`` takes them."""
    reader = f"{name}-reader"
    return (
        {"driver": "usb-ccid", "id": reader, "bus": f"{HUB}.0", "serial": READERS[name]},
        {"driver": "ccid-card-passthru", "id": f"{name}-slot", "chardev": name, "bus": f"{reader}.0"},
    )


def touch_panel() -> dict[str, str]:
    """The panel's own plug, as qemu's ``device_add`` takes it; fingers come by qemu's monitor."""
    return {"driver": "usb-tablet", "id": "panel", "bus": f"{HUB}.0", "serial": PANEL}


def qemu_arguments(folder: Path) -> list[str]:
    """Controller, ports and their sockets in ``folder``, which is there."""
    words = ["-device", f"qemu-xhci,id={HUB},p2=12,p3=8", *_device(touch_panel())]
    for name in READERS:
        words += [*_chardev(folder, name), *(word for device in reader_of(name) for word in _device(device))]
    for name, serial in SERIAL_LINES.items():
        line = {"driver": "usb-serial", "chardev": name, "serial": serial, "bus": f"{HUB}.0"}
        words += [*_chardev(folder, name), *_device(line)]
    for name in PRINTERS:
        words += [*_chardev(folder, name), *_device({"driver": "usb-redir", "chardev": name, "bus": f"{HUB}.0"})]
    return words


def _device(properties: dict[str, str]) -> list[str]:
    return ["-device", ",".join(value if key == "driver" else f"{key}={value}" for key, value in properties.items())]


def _chardev(folder: Path, name: str) -> list[str]:
    return ["-chardev", f"socket,id={name},path={socket_of(folder, name)},server=on,wait=off"]
