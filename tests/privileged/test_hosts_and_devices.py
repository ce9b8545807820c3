"""Rules that are made of settings: whom the firewall lets out, and which USB devices may be here."""

import shutil
import subprocess
from pathlib import Path

import pytest

from provisioning.privileged.devices import Unusable, read_devices, udev_rules, usb_rules
from provisioning.privileged.hosts import hosts_of, remembered, resolved, rules, servers_of_line

SETTINGS = {
    "hosts": {
        "agency": {"url": "https://agency.example/api", "ca": "/etc/ca.pem", "proxy": "10.0.0.9:3128"},
        "bank": {"url": "tls://192.0.2.7:9001"},
    },
    "agent": {"url": "https://fleet.example:8444", "console_url": "https://console.example"},
    "slots": {"page_printer": {"driver": "ipp", "options": {"uri": "ipp://192.0.2.20/ipp/print"}}},
    "terminal": {"place_zh": "一楼:大厅"},
}


def test_every_address_of_the_settings_is_let_out_and_nothing_else() -> None:
    """Hosts, the proxy on the way, the fleet and a printer on the network; not what is only for telephones."""
    assert hosts_of(SETTINGS) == {
        ("agency.example", 443),
        ("10.0.0.9", 3128),
        ("192.0.2.7", 9001),
        ("fleet.example", 8444),
        ("192.0.2.20", 631),
    }


def test_who_tells_names_and_time() -> None:
    """As networkd knows them of the line; a resolver on this machine itself needs no hole."""
    dns, ntp = servers_of_line(
        "OPER_STATE=routable\nDNS=192.0.2.1 2001:db8::1\nNTP=time.example\n", "nameserver 127.0.0.53\n"
    )
    assert (dns, ntp) == ({"192.0.2.1", "2001:db8::1"}, {"time.example"})


def test_a_name_that_cannot_be_asked_keeps_its_addresses() -> None:
    """A name server that is away for a minute cuts no host off."""

    def resolve(name: str) -> list[str]:
        if name == "away.example":
            raise OSError
        return ["192.0.2.9", "2001:db8::9"]

    known = {"away.example": ["192.0.2.3"], "here.example": ["192.0.2.4"]}
    assert resolved(["away.example", "here.example", "192.0.2.7"], known, resolve) == {
        "192.0.2.7": ["192.0.2.7"],
        "away.example": ["192.0.2.3"],
        "here.example": ["192.0.2.9", "2001:db8::9"],
    }


def test_sets_are_emptied_and_filled_together() -> None:
    """Each address by its kind, with the port that belongs to it."""
    found = {"agency.example": ["192.0.2.9", "2001:db8::9"]}
    words = rules({("agency.example", 443), ("unknown.example", 1)}, set(), {"192.0.2.1"}, found)
    assert words.splitlines() == [
        "flush set inet yikatong hosts4",
        "add element inet yikatong hosts4 { 192.0.2.9 . 443 }",
        "flush set inet yikatong hosts6",
        "add element inet yikatong hosts6 { 2001:db8::9 . 443 }",
        "flush set inet yikatong clocks4",
        "flush set inet yikatong clocks6",
        "flush set inet yikatong resolvers4",
        "add element inet yikatong resolvers4 { 192.0.2.1 }",
        "flush set inet yikatong resolvers6",
    ]


def test_a_torn_memory_is_none(tmp_path: Path) -> None:
    """What was resolved before is a help, never a need."""
    (tmp_path / "addresses.json").write_text('{"a": [')
    assert remembered(tmp_path / "addresses.json") == remembered(tmp_path / "none") == {}


DEVICES = """
[pin-pad]
serial = "PINPAD01"
id = "0403:6001"
[touch]
port = "1-1.2"
kind = "touch"
[receipt-printer]
port = "1-1.3"
kind = "usb"
"""


def test_devices_get_their_names() -> None:
    """By number or by socket, for the kiosk; the touch panel stays the display's."""
    assert udev_rules(read_devices(DEVICES)).splitlines() == [
        'SUBSYSTEM=="tty", ATTRS{serial}=="PINPAD01", ATTRS{idVendor}=="0403", ATTRS{idProduct}=="6001", '
        'SYMLINK+="kiosk/pin-pad", GROUP="yikatong-devices", MODE="0660"',
        'SUBSYSTEM=="input", KERNEL=="event*", KERNELS=="1-1.2", SYMLINK+="kiosk/touch", GROUP="input", MODE="0660"',
        'SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", KERNELS=="1-1.3", SYMLINK+="kiosk/receipt-printer", '
        'GROUP="yikatong-devices", MODE="0660"',
    ]


@pytest.mark.skipif(
    shutil.which("usbguard-rule-parser") is None, reason="usbguard is not installed (packages-image.txt)"
)
def test_usbguard_understands_every_rule(tmp_path: Path) -> None:
    """As the parser of usbguard itself reads them."""
    path = tmp_path / "rules.conf"
    path.write_text(usb_rules(read_devices(DEVICES)))
    done = subprocess.run(["usbguard-rule-parser", "-f", str(path)], capture_output=True, text=True, check=False)
    words = [line for line in done.stdout.splitlines() if line.startswith("OUTPUT")]
    assert (done.returncode, len(words)) == (0, len(path.read_text().splitlines())), done.stderr
    assert "ERROR" not in done.stdout


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[pin-pad]\nserial = "a\\" allow "', "serial cannot be"),
        ('[pin-pad]\nport = "1-1, RUN+=x"', "port cannot be"),
        ('["../x"]\nserial = "1"', "not a name"),
        ("[pin-pad]", "its serial number, or the port"),
        ('[pin-pad]\nserial = "1"\nmode = "0666"', "and nothing else"),
        ('[pin-pad]\nserial = "1"\nkind = "disk"', "kind is one of"),
        ("[pin-pad", "Expected"),
    ],
)
def test_a_list_that_no_rule_can_be_made_of_is_refused(text: str, why: str) -> None:
    """Nothing of it can break out of a rule; what cannot be meant is said, with its name."""
    with pytest.raises(Unusable, match=why):
        read_devices(text)
