"""Units as text: what systemd thinks of them before anything runs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from image.package.steps import HOUSE
from tests.appliance.container import installed_tree

pytestmark = [pytest.mark.slow, pytest.mark.appliance, pytest.mark.longest(20), pytest.mark.timeout(900)]
# Whoever comes first to the terminal's tree makes it, on a clean machine all of Debian's part of it.
WITH_TREE = pytest.mark.longest(240)
UNITS = HOUSE / "systemd"
# Tenths of systemd's exposure. Card daemon and display touch no network, the next three speak to hosts. The rest runs
# as root, for moments: their bounds say what is left open, and systemd/README.md says why.
EXPOSURE_MAX = {
    "yikatong-pcscd.service": 10,
    "yikatong-display.service": 10,
    "yikatong-kiosk.service": 18,
    "yikatong-forwarder.service": 18,
    "yikatong-agent.service": 18,
    "yikatong-count@.service": 10,
    "yikatong-firewall.service": 18,
    "yikatong-network.service": 18,
    "yikatong-trial.service": 18,
    "yikatong-devices.service": 18,
    "yikatong-drivers.service": 18,
    "yikatong-usbguard.service": 18,
    "yikatong-hosts.service": 22,
    "yikatong-privileged.service": 22,
    "yikatong-supplicant@.service": 40,
    "yikatong-stick@.service": 38,
    "yikatong-stick-write@.service": 38,
}


def test_every_service_has_a_bound() -> None:
    """Whoever adds one says how open it may be."""
    assert {path.name for path in UNITS.glob("*.service")} == EXPOSURE_MAX.keys()


@pytest.mark.parametrize(("name", "tenths"), sorted(EXPOSURE_MAX.items()))
def test_exposure_stays_below_its_bound(name: str, tenths: int) -> None:
    """By systemd's own judgement, which ends with an error above the bound."""
    command = [
        "systemd-analyze",
        "security",
        "--no-pager",
        "--offline=true",
        f"--threshold={tenths}",
        str(UNITS / name),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-300:]


def test_who_takes_a_terminal_starts_nothing_beside_it() -> None:
    """Each program of such a unit takes and hangs up the terminal first: of two that run at once one loses it."""
    takers = [path for path in UNITS.glob("*.service") if "StandardInput=tty" in path.read_text()]
    assert [path.name for path in takers] == ["yikatong-display.service"]
    for path in takers:
        assert "ExecStartPost=" not in path.read_text(), path.name


GUARDED = """
mount -t tmpfs none /sys/bus && {bus} cd {folder} && exec timeout --preserve-status 5 usbguard-daemon -K -c daemon.conf
"""


def test_usbguard_needs_a_bus_and_has_one(tmp_path: Path) -> None:
    """Without the kernel's USB bus it ends at once, and a unit that starts it anew would do so for ever; on an empty
    bus it waits. So its unit has the bus made first, and is not started by a kernel that cannot."""
    if os.geteuid() != 0 or shutil.which("usbguard-daemon") is None:
        pytest.skip("root and usbguard (packages-image.txt)")
    (tmp_path / "rules.conf").write_text("block\n")
    settings = (UNITS / "share" / "usbguard-daemon.conf").read_text()
    (tmp_path / "daemon.conf").write_text(settings.replace("/run/yikatong-usb", str(tmp_path)))
    for path in tmp_path.iterdir():
        path.chmod(0o600)
    ended = {}
    for bus in ("", "mkdir -p /sys/bus/usb/devices &&"):
        script = GUARDED.format(bus=bus, folder=tmp_path)
        done = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, timeout=60)
        ended[bool(bus)] = done.returncode
    assert ended == {False: 1, True: 0}  # 0: it was told to end
    lines = (UNITS / "yikatong-usbguard.service").read_text().splitlines()
    assert "ConditionPathExists=/sys/bus/usb/devices" in lines
    assert "Wants=yikatong-drivers.service" in lines
    (after,) = [line for line in lines if line.startswith("After=")]
    assert "yikatong-drivers.service" in after
    (made,) = [
        line for line in (UNITS / "yikatong-drivers.service").read_text().splitlines() if "modprobe --all" in line
    ]
    assert "usbcore" in made.split()


@WITH_TREE
def test_units_are_understood_where_they_are_installed() -> None:
    """No word that systemd does not know, and every program is there: asked of the terminal's own systemd, about every
    unit of the package. What the image alone has (802.1X, the list of USB devices) may be away."""
    tree = installed_tree()
    names = sorted(
        path.name for path in UNITS.iterdir() if path.suffix in (".service", ".socket", ".path", ".timer", ".target")
    )
    command = [
        "systemd-nspawn",
        "--quiet",
        "-D",
        str(tree),
        "--register=no",
        "--keep-unit",
        "--link-journal=no",
        "--volatile=overlay",
    ]
    done = subprocess.run(
        [*command, "systemd-analyze", "verify", "--man=no", *(f"/usr/lib/systemd/system/{name}" for name in names)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = [
        line
        for line in (done.stdout + done.stderr).splitlines()
        if "yikatong" in line and "usbguard-daemon" not in line
    ]
    assert said == []


@WITH_TREE
def test_rules_of_udev_are_understood() -> None:
    """As udev itself reads them: no line that it would skip."""
    path = UNITS / "udev" / "85-yikatong.rules"
    for line in path.read_text().splitlines():
        assert not line or line.startswith(("#", "SUBSYSTEM")), line
    tree = installed_tree()
    assert (tree / "usr/lib/udev/rules.d" / path.name).read_bytes() == path.read_bytes()


SETUID = {
    *(f"usr/bin/{name}" for name in ("chage", "chfn", "chsh", "expiry", "gpasswd", "mount", "newgrp", "passwd", "su")),
    "usr/bin/umount",
    "usr/sbin/unix_chkpwd",
    "usr/lib/dbus-1.0/dbus-daemon-launch-helper",
}


@WITH_TREE
def test_which_files_give_rights_away() -> None:
    """Debian's own, by name, and none of ours; every unit of ours is past them (NoNewPrivileges=)."""
    found = _found(installed_tree(), "-type", "f", "-perm", "/6000")
    assert found == SETUID


@WITH_TREE
def test_nothing_can_be_written_by_everybody() -> None:
    """But folders that are made for it, where nobody takes away what is another's."""
    tree = installed_tree()
    assert _found(tree, "-type", "f", "-perm", "-0002") == set()
    assert _found(tree, "-type", "d", "-perm", "-0002", "!", "-perm", "-1000") == set()
    assert _found(tree, "-type", "d", "-perm", "-1002") == {"run/lock", "tmp", "var/tmp"}


def _found(tree: Path, *words: str) -> set[str]:
    command = ["find", str(tree), "-xdev", *words, "-printf", "%P\\n"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
