"""Wish ``stick``: the stick that lies in the mount point can be written to (``write``), or only be read (``done``).

Root neither reads nor writes a file of it: it starts the unit that mounts it the other way (systemd/README.md, USB).
The agent wishes it only for a stick with a word of the fleet on it that holds.
"""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field

from provisioning.privileged.wishes import Refused, Wish

READ, WRITE = "yikatong-stick@", "yikatong-stick-write@"
AGE_S_MAX = 60.0  # older, and it is a wish of a life before, of another stick
UNIT_S_MAX = 240.0  # a slow stick that takes what was written

Systemctl = Callable[..., "subprocess.CompletedProcess[str]"]


def systemctl(*words: str) -> "subprocess.CompletedProcess[str]":
    command = ["systemctl", *words]
    return subprocess.run(
        command, timeout=UNIT_S_MAX, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )


@dataclass(frozen=True)
class StickWish:
    systemctl: Systemctl = field(default=systemctl)

    def __call__(self, wish: Wish) -> None:
        """Raises Refused: none is there, it does not let itself be mounted so, or it was pulled out meanwhile."""
        if wish.command not in ("write", "done"):
            raise Refused("this wish cannot be read")
        if wish.command == "done":
            self._close()
        elif not 0 <= wish.age_s <= AGE_S_MAX:
            raise Refused("this wish is of another stick")
        else:
            self._open()

    def _open(self) -> None:
        place = self._mounted(READ)
        if self.systemctl("start", f"{WRITE}{place}.service").returncode:
            self.systemctl("reset-failed", f"{WRITE}{place}.service")
            self.systemctl("start", f"{READ}{place}.service")
            raise Refused("this stick cannot be mounted to be written to")

    def _close(self) -> None:
        """The unit ends by taking the mount away, so that all is on the stick; then it can be read again."""
        place = self._mounted(WRITE)
        unit = f"{WRITE}{place}.service"
        self.systemctl("stop", unit)
        if self.systemctl("is-failed", "--quiet", unit).returncode == 0:
            self.systemctl("reset-failed", unit)
            raise Refused("nobody knows whether all is on the stick")
        self.systemctl("start", f"{READ}{place}.service")

    def _mounted(self, unit: str) -> str:
        """The name of its device, as the unit's instance is called. Raises Refused."""
        told = self.systemctl("list-units", "--plain", "--no-legend", "--state=active", f"{unit}*.service").stdout
        names = [line.split()[0] for line in told.splitlines() if line.strip()]
        if not names:
            raise Refused("no stick is there")
        return names[0].removeprefix(unit).removesuffix(".service")
