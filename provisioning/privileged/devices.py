"""Names and rights of the terminal's devices, from ``/etc/yikatong/devices.toml``: rules for udev and for usbguard.

    [pin-pad]                    becomes /dev/kiosk/pin-pad
    serial = "PINPAD01"          its number; or port = "1-1.2", the socket that it is plugged into, where it has none
    id = "0403:6001"             maker and model, if that is to be looked at as well
    kind = "tty"                 tty (a serial line, the default), usb (libusb), input, hidraw; touch: the display's

What is not named here, is no hub, card reader, printer or stick of storage, is refused by usbguard before a driver of
the kernel looks at it. A named device that also is a keyboard, a disk or a radio is refused as well.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

KINDS = {"tty": "tty", "usb": "usb", "input": "input", "touch": "input", "hidraw": "hidraw"}
WORD = re.compile(r"[A-Za-z0-9._:-]{1,64}")  # of a serial number; nothing that a rule could be broken out of with
NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
PORT = re.compile(r"[0-9]+-[0-9]+(\.[0-9]+)*")
ID = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")
FIELDS = {"serial", "port", "id", "kind"}
GROUP, DISPLAY = "yikatong-devices", "input"

# A rule of usbguard for whatever may be here without a name. usbguard-rules.conf(5), classes of usb.org.
UNNAMED = """\
allow with-interface equals { 09:00:00 }
allow with-interface equals { 09:00:01 }
allow with-interface equals { 09:00:01 09:00:02 }
allow with-interface equals { 0b:00:00 }
allow with-interface equals { 07:01:01 }
allow with-interface equals { 07:01:02 }
allow with-interface equals { 07:01:04 }
allow with-interface equals { 07:01:04 07:01:04 }
allow with-interface equals { 08:06:50 }
"""
NEVER = "03:01:01 03:00:01 03:01:00 08:*:* 02:06:* 02:0d:* e0:*:*"  # keyboards, disks, networks, radios
NEVER_INPUT = "03:01:01 08:*:* 02:06:* 02:0d:* e0:*:*"  # a touch panel or a bar code reader is an input device


class Unusable(Exception):
    """The file says something that no rule can be made of; the message says what and where."""


@dataclass(frozen=True)
class Device:
    name: str
    serial: str = ""
    port: str = ""
    id: str = ""
    kind: str = "tty"


def read_devices(text: str) -> list[Device]:
    """Raises Unusable."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Unusable(str(error)) from error
    return [_device(name, table) for name, table in tables.items()]


def _device(name: str, table: object) -> Device:
    if not NAME.fullmatch(name) or not isinstance(table, Mapping):
        raise Unusable(f"{name}: not a name and a table")
    if set(table) - FIELDS or not all(isinstance(value, str) for value in table.values()):
        raise Unusable(f"{name}: serial, port, id and kind, each in quotes, and nothing else")
    device = Device(name, **table)
    if not device.serial and not device.port:
        raise Unusable(f"{name}: its serial number, or the port that it is plugged into")
    for field, shape in (("serial", WORD), ("port", PORT), ("id", ID)):
        if (value := getattr(device, field)) and not shape.fullmatch(value):
            raise Unusable(f"{name}: {field} cannot be {value[:80]!r}")
    if device.kind not in KINDS:
        raise Unusable(f"{name}: kind is one of {', '.join(KINDS)}")
    return device


def udev_rules(devices: list[Device]) -> str:
    """For /run/udev/rules.d."""
    return "".join(_udev(device) for device in devices)


def _udev(device: Device) -> str:
    match = [f'SUBSYSTEM=="{KINDS[device.kind]}"']
    match += ['ENV{DEVTYPE}=="usb_device"'] if device.kind == "usb" else []
    match += ['KERNEL=="event*"'] if KINDS[device.kind] == "input" else []
    # All of these are of one parent, the device itself: udev(7).
    match += [f'KERNELS=="{device.port}"'] if device.port else []
    match += [f'ATTRS{{serial}}=="{device.serial}"'] if device.serial else []
    vendor, _, product = device.id.partition(":")
    match += [f'ATTRS{{idVendor}}=="{vendor}"', f'ATTRS{{idProduct}}=="{product}"'] if device.id else []
    link = f'SYMLINK+="kiosk/{device.name}"'
    group = DISPLAY if device.kind == "touch" else GROUP
    return ", ".join([*match, link, f'GROUP="{group}"', 'MODE="0660"']) + "\n"


def usb_rules(devices: list[Device]) -> str:
    """For usbguard: named devices, what may be here without a name, and nothing else."""
    return "".join(_usb(device) for device in devices) + UNNAMED


def _usb(device: Device) -> str:
    never = NEVER_INPUT if device.kind in ("input", "touch", "hidraw") else NEVER
    words = ["allow"]
    words += [f"id {device.id}"] if device.id else []
    words += [f'serial "{device.serial}"'] if device.serial else []
    words += [f'via-port "{device.port}"'] if device.port else []
    return " ".join([*words, f"with-interface none-of {{ {never} }}"]) + "\n"
