"""Puts application bundles in place: two generations, and one link that says which of them runs.

a/  b/           unpacked bundles
a.sha256         of the bundle in it, written last: without it the generation is none
a.image          version of the image that it was installed on: on any other that image's own application runs
current -> a     what runs; without it the image's own copy
trial.json       while the newer one is on trial; ``boot`` counts starts in it
returned.json    why the last one went back
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from provisioning.rules.releases import APPLICATION, MANIFEST, Journal, Manifest, NotAllowed, read_manifest
from provisioning.terminal.disk import Disk
from provisioning.terminal.updates.boot import CURRENT, IMAGE_OF, RETURNED, STARTS, TRIAL, image_of, runs
from provisioning.terminal.updates.bundle import FILE_MODE, FOLDER_MODE, check_needs, unpack
from provisioning.terminal.updates.installer import Trial
from provisioning.terminal.updates.refused import UpdateRefused
from provisioning.terminal.updates.trust import Target

GENERATIONS = ("a", "b")
UNPACKED_TIMES = 6  # plain text packs to a fifth


@dataclass(frozen=True)
class BuiltIn:
    """What the image brought, and runs where there is no generation."""

    version: str
    journal: Journal


@dataclass
class ApplicationInstaller:
    """Implements ``Installer``. ``reads_settings`` asks the new program whether it can use the settings in force: ""
    or why not."""

    folder: Path
    disk: Disk
    built_in: BuiltIn
    reads_settings: Callable[[Path], Awaitable[str]]
    kind: str = APPLICATION
    full_image: bool = False
    unpacked_times: int = UNPACKED_TIMES
    image: str = ""  # version; "" where there are no images

    def running(self) -> str:
        manifest = self._manifest(self._current())
        return manifest.version if manifest else self.built_in.version

    def unpacked_bytes(self, target: Target) -> int:
        return target.bytes_long * self.unpacked_times

    def has(self, target: Target) -> bool:
        return self._sha256(self._other()) == target.sha256

    async def write(self, file: Path, target: Target) -> None:
        if self.trial() is not None:
            raise UpdateRefused("on_trial", "another version is on trial")
        other = self._other()
        if self._sha256(other) != target.sha256:
            await trio.to_thread.run_sync(self._unpack, file, target, other)
        why = await self.reads_settings(self.folder / other)
        if why:
            raise UpdateRefused("settings", f"it cannot use the settings in force: {why}"[:200])

    async def switch(self) -> None:
        other = self._other()
        manifest = self._manifest(other)
        assert manifest is not None and self._sha256(other), "written before"
        trial = {
            "generation": other,
            "version": manifest.version,
            "previous": self._current(),
            "previous_version": self.running(),
            "starts_left": STARTS,
        }
        self.disk.remove(self.folder / RETURNED)
        self.disk.write(self.folder / TRIAL, json.dumps(trial).encode())
        self.disk.point(self.folder / CURRENT, other)

    def trial(self) -> Trial | None:
        """A trial whose generation does not run is over: its switch or its return was cut off."""
        told = self._told(TRIAL)
        if told is None or told["generation"] != self._current():
            return None
        return Trial(str(told["version"]), str(told["previous_version"]))

    async def keep(self) -> None:
        self.disk.remove(self.folder / TRIAL)

    async def go_back(self, why: str) -> None:
        told = self._told(TRIAL)
        if told is None:
            return
        self.disk.write(self.folder / RETURNED, json.dumps({"version": told["version"], "why": why[:200]}).encode())
        if told["previous"]:
            self.disk.point(self.folder / CURRENT, str(told["previous"]))
        else:
            self.disk.remove(self.folder / CURRENT)
        self.disk.remove(self.folder / TRIAL)

    def returned(self) -> str:
        """Why the last version went back, "" where it did not."""
        told = self._told(RETURNED)
        return str(told["why"]) if told else ""

    def journal(self) -> Journal:
        manifest = self._manifest(self._current())
        return manifest.journal if manifest else self.built_in.journal

    def _unpack(self, file: Path, target: Target, other: str) -> None:
        self.disk.folder(self.folder, FOLDER_MODE)
        self.disk.remove(self._mark(other))
        self.disk.remove(self.folder / other)
        beside = self.folder / f".{other}.new"
        self.disk.remove(beside)
        try:
            manifest = unpack(file, beside, self.disk, lambda manifest: check_needs(manifest, self.journal()))
            if manifest.version != target.version:
                raise UpdateRefused("not_a_bundle", "its manifest has another version than was signed")
        except UpdateRefused:
            self.disk.remove(beside)
            raise
        self.disk.rename(beside, self.folder / other)
        self.disk.write(self.folder / f"{other}{IMAGE_OF}", self.image.encode(), FILE_MODE)
        self.disk.write(self._mark(other), target.sha256.encode())

    def _current(self) -> str:
        """ "" for the image's own."""
        return runs(self.folder, self.image)

    def _other(self) -> str:
        return GENERATIONS[1] if self._current() == GENERATIONS[0] else GENERATIONS[0]

    def _mark(self, generation: str) -> Path:
        return self.folder / f"{generation}.sha256"

    def _sha256(self, generation: str) -> str:
        mark = self._mark(generation)
        here = image_of(self.folder, generation) == self.image  # else it must be judged and unpacked anew
        return mark.read_text(encoding="ascii") if here and mark.exists() else ""

    def _manifest(self, generation: str) -> Manifest | None:
        path = self.folder / generation / MANIFEST
        try:
            return read_manifest(path.read_bytes()) if generation and path.exists() else None
        except NotAllowed:
            return None

    def _told(self, name: str) -> dict[str, Any] | None:
        path = self.folder / name
        return json.loads(path.read_bytes()) if path.exists() else None
