"""Which software may be installed: The Update Framework's client workflow (specification 1.0, 5), step by step.

python-tuf judges (its ``TrustedMetadataSet``); fetching and keeping are ours, because its own ``Updater`` blocks,
flushes nothing, and takes this machine's clock for the truth. Here the hour comes from outside (max of all that is
known), every file is kept so that a cut leaves the old or the new one, and the same steps read a line and a stick.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from provisioning.terminal.disk import Disk
from provisioning.terminal.updates.refused import UpdateRefused

# python-tuf takes six megabytes that an agent does without until there is an update: it is imported where it judges.
if TYPE_CHECKING:
    from tuf.api.metadata import TargetFile
    from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet

ROOTS_MAX = 64  # new roots in one go; a terminal that was dark for years asks again
ROOT_BYTES_MAX = 128 << 10
TIMESTAMP_BYTES_MAX = 16 << 10
SNAPSHOT_BYTES_MAX = 64 << 10
TARGETS_BYTES_MAX = 2 << 20
SIGNED_AT = "x-yikatong-signed-at"

# By python-tuf's exceptions. What it says in its message may hold a version, never content.
_CODES = {
    "ExpiredMetadataError": "expired",
    "UnsignedMetadataError": "not_signed",
    "BadVersionNumberError": "older",
    "LengthOrHashMismatchError": "mixed",
}


class Source(Protocol):
    """Where metadata comes from: the line, or a stick."""

    async def metadata(self, name: str, bytes_max: int) -> bytes | None:
        """None: there is no such file. Raises UpdateRefused: ``too_long``, more than ``bytes_max``; SourceSilent."""
        ...


@dataclass(frozen=True)
class Target:
    """Software that two people signed. ``kind`` and ``version`` as they said; ``path``: below the repository."""

    name: str
    kind: str
    version: str
    sha256: str
    bytes_long: int

    @property
    def path(self) -> str:
        return f"targets/{self.sha256}.{self.name}"


@dataclass(frozen=True)
class Allowed:
    """``signed_at``: the newest moment that the repository vouches for, None where it does not say."""

    targets: tuple[Target, ...]
    signed_at: datetime | None
    root_version: int
    _by_hash: dict[str, Target] = field(default_factory=dict)

    def with_hash(self, sha256: str) -> Target | None:
        return self._by_hash.get(sha256)


@dataclass
class Trust:
    """``anchor``: file of the root that this terminal was given with its image; needed until there is a newer one."""

    folder: Path
    anchor: Path
    disk: Disk
    now: Callable[[], datetime]

    async def refresh(self, source: Source) -> Allowed:
        """Ask for what is newest, judge it, keep it.

        Raises:
            UpdateRefused: ``no_anchor``, ``expired``, ``not_signed``, ``older``, ``mixed``, ``broken``, ``too_long``,
                ``missing``.
            SourceSilent, OSError.
        """
        self.disk.folder(self.folder)
        known = self._begin()
        await self._roots(known, source)
        await self._timestamp(known, source)
        await self._snapshot(known, source)
        await self._targets(known, source)
        return _allowed(known)

    def kept(self) -> Allowed:
        """What was judged last, judged again now, without asking anybody. Raises UpdateRefused, as ``refresh``."""
        known = self._begin()
        _judge("timestamp", known.update_timestamp, self._must_have("timestamp"))
        _judge("snapshot", known.update_snapshot, self._must_have("snapshot"))
        _judge("targets", known.update_targets, self._must_have("targets"))
        return _allowed(known)

    def _begin(self) -> "TrustedMetadataSet":
        from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet
        from tuf.ngclient.config import EnvelopeType

        raw = self._read("root") or self._anchor()
        known: TrustedMetadataSet = _judge("root", TrustedMetadataSet, raw, EnvelopeType.METADATA)
        known.reference_time = self.now()
        return known

    def _anchor(self) -> bytes:
        try:
            return self.anchor.read_bytes()
        except OSError as error:
            raise UpdateRefused("no_anchor", f"nobody is trusted to sign software here: {error.strerror}") from None

    async def _roots(self, known: "TrustedMetadataSet", source: Source) -> None:
        """5.3: one by one, each signed by the people of the one before and by its own."""
        for _ in range(ROOTS_MAX):
            raw = await source.metadata(f"{known.root.version + 1}.root.json", ROOT_BYTES_MAX)
            if raw is None:
                return
            _judge("root", known.update_root, raw)
            self._keep("root", raw)

    async def _timestamp(self, known: "TrustedMetadataSet", source: Source) -> None:
        """5.4: the kept one, even an expired one, is what a rollback is told by."""
        from tuf.api.exceptions import EqualVersionNumberError, RepositoryError

        kept = self._read("timestamp")
        if kept is not None:
            _unless_unfit(known.update_timestamp, kept)
        raw = await _must(source, "timestamp.json", TIMESTAMP_BYTES_MAX)
        try:
            known.update_timestamp(raw)
        except EqualVersionNumberError:
            _judge("timestamp", known._check_final_timestamp)
            return
        except RepositoryError as error:
            raise _refused("timestamp", error) from None
        self._keep("timestamp", raw)

    async def _snapshot(self, known: "TrustedMetadataSet", source: Source) -> None:
        kept = self._read("snapshot")
        if kept is not None and _unless_unfit(known.update_snapshot, kept, trusted=True):
            return
        named = known.timestamp.snapshot_meta
        bytes_max = named.length or SNAPSHOT_BYTES_MAX
        raw = await _must(source, f"{named.version}.snapshot.json", min(bytes_max, SNAPSHOT_BYTES_MAX))
        _judge("snapshot", known.update_snapshot, raw)
        self._keep("snapshot", raw)

    async def _targets(self, known: "TrustedMetadataSet", source: Source) -> None:
        kept = self._read("targets")
        if kept is not None and _unless_unfit(known.update_targets, kept):
            return
        named = known.snapshot.meta.get("targets.json")
        if named is None:
            raise UpdateRefused("mixed", "snapshot: names no targets")
        bytes_max = min(named.length or TARGETS_BYTES_MAX, TARGETS_BYTES_MAX)
        raw = await _must(source, f"{named.version}.targets.json", bytes_max)
        _judge("targets", known.update_targets, raw)
        self._keep("targets", raw)

    def _read(self, role: str) -> bytes | None:
        path = self.folder / f"{role}.json"
        return path.read_bytes() if path.exists() else None

    def _must_have(self, role: str) -> bytes:
        raw = self._read(role)
        if raw is None:
            raise UpdateRefused("missing", f"{role}: nothing is kept here")
        return raw

    def _keep(self, role: str, raw: bytes) -> None:
        self.disk.write(self.folder / f"{role}.json", raw)


async def _must(source: Source, name: str, bytes_max: int) -> bytes:
    raw = await source.metadata(name, bytes_max)
    if raw is None:
        raise UpdateRefused("missing", f"{name}: is not there")
    return raw


def _unless_unfit(load: Callable[..., object], raw: bytes, trusted: bool = False) -> bool:
    """Whether what is kept is good as it is. Kept files that are old, or of people who left, only help to judge."""
    from tuf.api.exceptions import RepositoryError

    try:
        load(raw, **({"trusted": True} if trusted else {}))
    except RepositoryError:
        return False
    return True


def _judge(role: str, load: Callable[..., Any], *given: Any) -> Any:
    from tuf.api.exceptions import RepositoryError

    try:
        return load(*given)
    except RepositoryError as error:
        raise _refused(role, error) from None


def _refused(role: str, error: Exception) -> UpdateRefused:
    names = (kind.__name__ for kind in type(error).__mro__)
    code = next((_CODES[name] for name in names if name in _CODES), "broken")
    return UpdateRefused(code, f"{role}: {error}"[:200])


def _allowed(known: "TrustedMetadataSet") -> Allowed:
    found = tuple(_target(target) for _, target in sorted(known.targets.targets.items()))
    told = known.timestamp.unrecognized_fields.get(SIGNED_AT)
    try:
        signed_at = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        signed_at = None
    by_hash = {target.sha256: target for target in found if target.sha256}
    return Allowed(found, signed_at, known.root.version, by_hash)


def _target(target: "TargetFile") -> Target:
    told = target.custom if isinstance(target.custom, dict) else {}
    kind, version = str(told.get("kind", "")), str(told.get("version", ""))
    return Target(target.path, kind, version, target.hashes.get("sha256", ""), target.length)
