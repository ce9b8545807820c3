"""Roots of further versions, made of the one that was built: another number, and one of them with a fault."""

import shutil
from pathlib import Path

from image.bundle.bundle import make_bundle
from tests.appliance.authority import Signer
from tests.appliance.box import _run

SITE = "/usr/lib/yikatong/venv/lib/python3.11/site-packages"
QUICK = "-comp zstd -Xcompression-level 1"
# What the units log, on the serial line: for whoever looks for the reason of a failure.
TOLD = """[Unit]
Description=A test reads along
[Service]
ExecStart=/bin/sh -c 'exec journalctl --follow --lines=all --output=cat > /dev/ttyS0'
"""


def root_of(built: Path, target: Path, version: str, signer: Signer, *, sick: bool = False) -> Path:
    """``built``: root.img of `make image`. ``sick``: its kiosk cannot be started."""
    _run("cp", "--sparse=always", str(built), str(target))
    _run("tune2fs", "-O", "^read-only", str(target))
    units = "/etc/systemd/system"
    written = {
        "/usr/lib/os-release": f'ID=debian\nVERSION_ID="12"\nIMAGE_ID=yikatong\nIMAGE_VERSION={version}\n',
        "/etc/rauc/keyring.pem": signer.authority.read_text(),
        f"{units}/told.service": TOLD,
    }
    words = ["mkdir /etc/rauc"]
    for number, (name, content) in enumerate(written.items()):
        given = target.with_name(f"{target.name}.{number}")
        given.write_text(content)
        words += [f"rm {name}", f"write {given} {name}"]
    words.append(f"symlink {units}/multi-user.target.wants/told.service {units}/told.service")
    if sick:
        services = f"{SITE}/kiosk/services"
        words += [f"rm {services}/query_account.py", f"rm {services}/__pycache__/query_account.cpython-311.pyc"]
    script = target.with_name(f"{target.name}.debugfs")
    script.write_text("\n".join(words) + "\n")
    _run("debugfs", "-w", "-f", str(script), str(target))
    _run("tune2fs", "-O", "read-only", str(target))
    return target


def bundle_of(root: Path, signer: Signer, out: Path) -> bytes:
    """As `make bundle` makes it, packed less and sooner. The root is gone then: it is large."""
    assert shutil.which("rauc"), "packages-image.txt has it"
    made = make_bundle(root, str(signer.certificate), str(signer.key), signer.authority, out, QUICK)
    root.unlink()
    return made.read_bytes()
