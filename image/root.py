"""Debian's part of a system, by mmdebstrap: one tar for one list of packages, kept under build/ for the next run.

Which mirror is asked is the machine's own: mmdebstrap reads /etc/apt. For a build that can be repeated later,
DEBIAN_SNAPSHOT names a moment (20260115T000000Z) of the snapshot archive at DEBIAN_MIRROR.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from image.package.steps import HOUSE, run
from tools.set_up import read_package_list

BUILD = HOUSE / "build" / "image"
SUITE = "bookworm"
EPOCH = 1_767_225_600  # every file that a build makes is of this second: 2026-01-01
# What nobody reads at a terminal. Licences stay: whoever passes the image on must pass them on.
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/lintian/*")
KEPT = ("/usr/share/doc/*/copyright", "/usr/share/doc/yikatong/*")


def debian_root(packages: Iterable[str], variant: str = "minbase", folder: Path = BUILD) -> Path:
    """A tar of a Debian system with ``packages``, without recommended ones. Needs root. ``folder``: where it is kept.

    Raises:
        StepFailed: mmdebstrap says why.
    """
    wanted = sorted(set(packages))
    key = hashlib.sha256("\0".join([SUITE, variant, *sources(), *wanted, *LEFT_OUT, *KEPT]).encode()).hexdigest()[:16]
    made = folder / f"root-{key}.tar"
    if not made.exists():
        folder.mkdir(parents=True, exist_ok=True)
        making = made.with_suffix(f".{os.getpid()}.tar")
        try:
            # INITRD: whoever wants a first file system makes its own, of the drivers that are left.
            run(command(wanted, variant, making), INITRD="No", SOURCE_DATE_EPOCH=str(EPOCH))
            making.rename(made)
        finally:
            making.unlink(missing_ok=True)
    return made


def command(packages: list[str], variant: str, target: Path) -> list[str]:
    options = [f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT]
    options += [f"--dpkgopt=path-include={path}" for path in KEPT]
    return [
        "mmdebstrap", "--mode=root", f"--variant={variant}", f"--include={','.join(packages)}",
        '--aptopt=APT::Install-Recommends "false"', *options, SUITE, str(target), *sources(),
    ]  # fmt: skip


def sources() -> list[str]:
    """Lines of sources.list: none, and the machine's own are asked; or those of one moment."""
    moment, mirror = (os.environ.get(name, "") for name in ("DEBIAN_SNAPSHOT", "DEBIAN_MIRROR"))
    if not moment or not mirror:
        return []
    option = "[check-valid-until=no]"  # what a moment of the past says has expired
    return [
        f"deb {option} {mirror}/debian/{moment} {SUITE} main",
        f"deb {option} {mirror}/debian/{moment} {SUITE}-updates main",
        f"deb {option} {mirror}/debian-security/{moment} {SUITE}-security main",
    ]


def listed(path: Path) -> list[str]:
    """The packages of a list with reasons."""
    return read_package_list(path.read_text())
