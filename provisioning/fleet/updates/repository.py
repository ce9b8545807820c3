"""The published TUF repository: a folder of files that nginx serves, every name written once but for the timestamp.

    timestamp.json  N.snapshot.json  N.targets.json  N.root.json  targets/SHA256.NAME

TUF 1.0 with consistent snapshots (theupdateframework.github.io/specification/latest, 6.2). There are no delegations:
what every terminal may run is decided by two people, not by a tree of rights.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from provisioning.fleet.actor import Refused

Signed = TypeVar("Signed", Root, Snapshot, Targets, Timestamp)


@dataclass(frozen=True)
class Release:
    """One piece of software that may be installed. ``kind``: application | image, as DDI's chunks name their part."""

    name: str
    kind: str
    version: str
    sha256: str
    bytes_long: int


@dataclass(frozen=True)
class Repository:
    """``folder``: ``public/tuf`` of the fleet's settings; it may be empty yet."""

    folder: Path

    @property
    def targets_folder(self) -> Path:
        return self.folder / "targets"

    def root(self) -> Metadata[Root] | None:
        """The newest; None before the first."""
        versions = self._versions("root")
        return self._read(f"{max(versions)}.root.json") if versions else None

    def timestamp(self) -> Metadata[Timestamp] | None:
        return self._read("timestamp.json") if (self.folder / "timestamp.json").exists() else None

    def snapshot(self) -> Metadata[Snapshot] | None:
        """The one that the timestamp names."""
        newest = self.timestamp()
        return self._read(f"{newest.signed.snapshot_meta.version}.snapshot.json") if newest else None

    def targets(self) -> Metadata[Targets] | None:
        """The one that the snapshot names: what was published half does not count."""
        named = self.snapshot()
        return self._read(f"{named.signed.meta['targets.json'].version}.targets.json") if named else None

    def releases(self) -> list[Release]:
        """What terminals may install now, newest name last."""
        signed = self.targets()
        return [release_of(target) for _, target in sorted(signed.signed.targets.items())] if signed else []

    def target_path(self, release: Release) -> Path:
        return self.targets_folder / f"{release.sha256}.{release.name}"

    def _versions(self, role: str) -> list[int]:
        found = (path.name.partition(".")[0] for path in self.folder.glob(f"*.{role}.json"))
        return [int(version) for version in found if version.isdecimal()]

    def _read(self, name: str) -> Metadata[Any]:
        return read_metadata(self.folder / name)


def read_metadata(path: Path) -> Metadata[Any]:
    """Raises Refused: unreadable, or no TUF metadata."""
    try:
        return Metadata.from_bytes(path.read_bytes())
    except OSError as error:
        raise Refused("unreadable", f"{path}: cannot be read: {error.strerror}") from error
    except (DeserializationError, RepositoryError):
        raise Refused("no_metadata", f"{path}: not TUF metadata.") from None


def release_of(target: TargetFile) -> Release:
    told: Mapping[str, Any] = target.custom or {}
    kind, version = str(told.get("kind", "")), str(told.get("version", ""))
    return Release(target.path, kind, version, target.hashes.get("sha256", ""), target.length)


def place(path: Path, content: bytes) -> None:
    """Whole or not at all, for readers and over a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.chmod(0o644)  # nginx reads it
    beside.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC)
