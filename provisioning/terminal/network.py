"""Networks that were given to this terminal: one in force, one on trial, and the last good one to return to.

``home``/network/current -> 0002/{files}. A new network is only kept once the fleet was reached with it; else, or when
the power was cut too often meanwhile, the last good one returns. The files are put to use by a privileged unit, behind
the port ``ApplyNetwork``.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import msgspec

from provisioning.rules.network_files import PROXY
from provisioning.terminal.disk import Disk

TRIES_MAX = 2  # starts of the machine with a network that did not lead to the fleet yet
SET = re.compile(r"[0-9]{4}")

ApplyNetwork = Callable[[Path | None], Awaitable[None]]  # the folder in force; None: as the image has it


class Trial(msgspec.Struct, frozen=True):
    """``old`` "": the image's own network. ``tries``: starts of the agent with it."""

    new: str
    old: str
    tries: int = 1


class Networks:
    def __init__(self, home: Path, disk: Disk, apply: ApplyNetwork) -> None:
        self.folder, self._disk, self._apply = home / "network", disk, apply
        self.current, self._trial = self.folder / "current", self.folder / "trial.json"

    @property
    def in_force(self) -> str:
        """Name of the set; "": the image's own."""
        return str(self.current.readlink()) if self.current.is_symlink() else ""

    @property
    def trial(self) -> Trial | None:
        try:
            return msgspec.json.decode(self._trial.read_bytes(), type=Trial)
        except FileNotFoundError:
            return None

    def files(self, name: str) -> dict[str, str]:
        """Of a set, by name; empty where there is none."""
        folder = self.folder / name
        return {one.name: one.read_text() for one in sorted(folder.glob("*"))} if name else {}

    def holds(self, files: Mapping[str, str]) -> bool:
        """Whether just these are in force."""
        return self.files(self.in_force) == dict(files)

    async def try_out(self, files: Mapping[str, str]) -> None:
        """Put a network in force on trial. Raises OSError."""
        new, old = self._next(), self.trial.old if self.trial else self.in_force
        self._disk.remove(self.folder / new)
        self._disk.folder(self.folder / new)
        for name, content in files.items():
            self._disk.write(self.folder / new / name, content.encode(), 0o600)
        # The trial stands before the link turns: a network that cuts us off must be known to be on trial.
        self._disk.write(self._trial, msgspec.json.encode(Trial(new, old)))
        self._disk.point(self.current, new)
        await self._apply(self.folder / new)

    def keep(self) -> None:
        """The fleet was reached with it. Raises OSError."""
        if self.trial is not None:
            self._disk.remove(self._trial)
            self._prune()

    async def go_back(self) -> None:
        """The last good one returns. Raises OSError."""
        trial = self.trial
        if trial is None:
            return
        if trial.old:
            self._disk.point(self.current, trial.old)
        else:
            self._disk.remove(self.current)
        self._disk.remove(self._trial)
        self._prune()
        await self._apply(self.folder / trial.old if trial.old else None)

    async def resume(self) -> None:
        """At the start of the agent: a trial goes on, or has had its chances. Raises OSError."""
        trial = self.trial
        if trial is None:
            return
        if trial.tries >= TRIES_MAX:
            await self.go_back()
            return
        self._disk.write(self._trial, msgspec.json.encode(msgspec.structs.replace(trial, tries=trial.tries + 1)))
        self._disk.point(self.current, trial.new)
        await self._apply(self.folder / trial.new)

    def _next(self) -> str:
        numbers = [int(one.name) for one in self.folder.glob("[0-9]*") if SET.fullmatch(one.name)]
        return f"{max(numbers, default=0) % 9999 + 1:04d}"

    def _prune(self) -> None:
        for one in self.folder.glob("[0-9]*"):
            if SET.fullmatch(one.name) and one.name != self.in_force:
                self._disk.remove(one)


def proxy_in_force(home: Path) -> str:
    """``host:port`` of the network in force, "" without one."""
    path = home / "network" / "current" / PROXY
    return path.read_text().strip() if path.exists() else ""
