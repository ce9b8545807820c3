"""Settings as the kiosk reads them: one folder for each generation, and a link that names the one in force.

``home``/settings/current -> 000007/{settings.toml, desired.json, bodies/...}. The link turns in one step; so whenever
the power is cut, the whole of the old or the whole of the new settings is in force. ``trial.json`` lies beside it for
as long as nobody knows whether the kiosk is well with the new ones.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from provisioning.rules.desired import BodyRef, Desired
from provisioning.rules.health_gate import Look
from provisioning.terminal.disk import Disk

SETTINGS, DESIRED, BODIES = "settings.toml", "desired.json", "bodies"
GROUP_FILE, GROUP_FOLDER = 0o640, 0o750  # kiosk and forwarder are other users, of the agent's group
KEPT = 3  # generations: the one in force, the one before, and one more to look at


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """``old``, ``new``: names of generations; ``before``: how the kiosk was; ``hosts``: those that changed.
    ``version``, ``epoch``: of the new settings; ``back``: they failed, and the old ones are on their way back."""

    old: str
    new: str
    epoch: int
    version: int
    before: Look | None = None
    hosts: tuple[str, ...] = ()
    back: str = ""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A version that this terminal does not take, and why. ``sum`` names program, local facts and whom it
    believes: with others it is tried again."""

    epoch: int
    version: int
    why: str
    sum: str = ""


class Generations:
    def __init__(self, home: Path, disk: Disk) -> None:
        self.folder, self._disk = home / "settings", disk
        self.current = self.folder / "current"
        self._store = home / BODIES

    @property
    def settings_path(self) -> Path:
        """What the kiosk is started with."""
        return self.current / SETTINGS

    def name(self) -> str:
        """Of the generation in force; "" before the first."""
        return str(self.current.readlink()) if self.current.is_symlink() else ""

    def desired(self) -> Desired | None:
        """What the city wanted in the generation in force; None: local facts alone."""
        try:
            return msgspec.json.decode((self.current / DESIRED).read_bytes(), type=Desired)
        except (OSError, msgspec.MsgspecError):
            return None

    def in_force(self) -> tuple[int, int]:
        """Epoch and version; 0, 0 for local facts alone."""
        desired = self.desired()
        return (desired.epoch, desired.version) if desired else (0, 0)

    def missing(self, bodies: Iterable[BodyRef]) -> list[BodyRef]:
        return [body for body in bodies if not self.body(body.sha256).exists()]

    def body(self, sha256: str) -> Path:
        """Where a file that was fetched and proved lies."""
        return self._store / sha256

    def stage(self, settings: str, desired: Desired | None) -> str:
        """Put a generation beside the one in force; its name. Every body is there."""
        name = f"{max([0, *map(int, self._names())]) + 1:06d}"
        folder = self.folder / name
        self._disk.folder(folder, GROUP_FOLDER)
        if desired is not None:
            self._disk.write(folder / DESIRED, msgspec.json.encode(desired), GROUP_FILE)
            for body in desired.bodies:
                placed = folder / BODIES / body.name
                self._disk.folder(placed.parent, GROUP_FOLDER)
                self._disk.link(placed, str(self.body(body.sha256)))
                self._disk.flush_folder(placed.parent)
        self._disk.write(folder / SETTINGS, settings.encode(), GROUP_FILE)
        return name

    def text(self, name: str) -> str:
        try:
            return (self.folder / name / SETTINGS).read_text()
        except OSError:
            return ""

    def turn_to(self, name: str) -> None:
        """From here on ``name`` is in force."""
        assert (self.folder / name / SETTINGS).exists(), "a generation is whole before it is in force"
        self._disk.point(self.current, name)

    def prune(self) -> None:
        """Keep the newest few, and the bodies that they speak of."""
        names, now = self._names(), self.name()
        kept = {*names[-KEPT:], now}
        for name in names:
            if name not in kept:
                self._disk.remove(self.folder / name)
        named = {self._target(path) for name in kept for path in (self.folder / name / BODIES).rglob("*")}
        for path in self._store.glob("*"):
            if path.name not in named and not path.name.endswith(".part"):
                self._disk.remove(path)

    def drop(self, name: str) -> None:
        if name and name != self.name():
            self._disk.remove(self.folder / name)

    # --- what is not settled yet ---

    @property
    def trial(self) -> Trial | None:
        found: Trial | None = _read(self.folder / "trial.json", Trial)
        return found

    def begin_trial(self, trial: Trial) -> None:
        self._disk.write(self.folder / "trial.json", msgspec.json.encode(trial))

    def end_trial(self) -> None:
        self._disk.remove(self.folder / "trial.json")

    @property
    def refusal(self) -> Refusal | None:
        found: Refusal | None = _read(self.folder / "refused.json", Refusal)
        return found

    def refuse(self, refusal: Refusal) -> None:
        self._disk.write(self.folder / "refused.json", msgspec.json.encode(refusal))

    def _names(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("[0-9]*") if path.name.isdecimal())

    @staticmethod
    def _target(path: Path) -> str:
        return path.readlink().name if path.is_symlink() else ""


def _read(path: Path, shape: Any) -> Any:
    """None where there is none, or a torn one that an older program left."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=shape)
    except (OSError, msgspec.MsgspecError):
        return None


def tree_of(text: str) -> Mapping[str, Any]:
    """A settings file as plain values. Raises ValueError: no TOML."""
    import tomllib

    return json.loads(json.dumps(tomllib.loads(text))) if text else {}
