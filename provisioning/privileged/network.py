"""Wish ``network``: a set of files that the agent laid down is put where networkd and wpa_supplicant read.

Only names that ``provisioning.rules.network_files`` makes are taken, plain and short; what they say may cut this
terminal off, which the agent notices and takes back by itself, and nothing worse: no name is a program's.
"""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from provisioning.privileged.plain_files import NotPlain, opened, read_in, write_in
from provisioning.privileged.wishes import Refused, Wish
from provisioning.rules.network_files import AUTHORITY, MODEM, PROXY, SUPPLICANT

SETS = re.compile(r"[0-9]{4}|")
OURS = "10-yikatong"
NETWORKD = (f"{OURS}.network", f"{OURS}-vlan.netdev", f"{OURS}-vlan.network", f"{OURS}-modem.network")
PRIVATE = (SUPPLICANT, AUTHORITY)
RELOAD_S_MAX = 30.0


@dataclass(frozen=True)
class Places:
    """``home``: of the agent. ``networkd``: files of a running machine, gone at the next start (``at_start`` then).
    ``ours``: what other units of ours read; ``proxy`` in it is for everybody, the rest root's."""

    home: Path
    networkd: Path = Path("/run/systemd/network")
    ours: Path = Path("/run/yikatong-network")


def put_to_use(wish: Wish, places: Places) -> None:
    """Raises Refused."""
    lay_down(wish.command, places)
    if not _told("systemctl", "reload-or-restart", "systemd-networkd.service"):  # ours is not its network namespace
        raise Refused("the network of this machine is not in our hands")
    _told("systemctl", "--no-block", "try-restart", "yikatong-supplicant@*.service")


def at_start(places: Places) -> None:
    """The set in force, before networkd looks. Raises Refused."""
    current = places.home / "network" / "current"
    lay_down(current.readlink().name if current.is_symlink() else "", places)


def lay_down(name: str, places: Places) -> None:
    """Files of a set, instead of those of the one before; ``name`` "": the image's own, so none. Raises Refused."""
    if not SETS.fullmatch(name):
        raise Refused("no set of files has this name")
    content = _read(places.home / "network" / name) if name else {}
    if MODEM in content and shutil.which("mmcli") is None:
        raise Refused("this machine has no modem")
    places.networkd.mkdir(parents=True, exist_ok=True)
    places.ours.mkdir(parents=True, exist_ok=True)
    for folder, names in ((places.networkd, NETWORKD), (places.ours, (*PRIVATE, PROXY))):
        for one in names:
            (folder / one).unlink(missing_ok=True)
        with opened(folder) as descriptor:
            for one in content.keys() & set(names):
                # networkd is a user of its own, and has no secrets in these files.
                write_in(descriptor, one, content[one], 0o600 if one in PRIVATE else 0o644)


def _read(folder: Path) -> dict[str, bytes]:
    found = {}
    try:
        with opened(folder) as descriptor:
            for name in (*NETWORKD, *PRIVATE, PROXY, MODEM):
                if (folder / name).exists():
                    found[name] = read_in(descriptor, name)
    except (NotPlain, OSError) as error:
        raise Refused(f"the set cannot be read: {error}") from error
    if NETWORKD[0] not in found:
        raise Refused("the set names no line")
    return found


def _told(*command: str) -> bool:
    try:
        return subprocess.run(command, timeout=RELOAD_S_MAX, check=False, stdin=subprocess.DEVNULL).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
