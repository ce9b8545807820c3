"""Takes what two people signed into the repository, and keeps its timestamp fresh.

Every file has its final name before the timestamp names it, so that a terminal that asks in between, and a power cut,
see the old repository or the new one. Publishing again what was published half is the way out of a cut.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from securesystemslib.signer import Signer
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, Targets, Timestamp

from provisioning.fleet.actor import Refused
from provisioning.fleet.updates.repository import Repository, moment, place, read_metadata
from provisioning.fleet.updates.staging import ROOT, TARGETS, check_software

SNAPSHOT_DAYS = 30
TIMESTAMP_DAYS = 14  # so long may somebody hide news from a terminal, and a stick be on its way
FRESH_HOURS = 20  # then the next timestamp
SIGNED_AT = "x-yikatong-signed-at"  # in a timestamp: the newest moment that a terminal without a clock can know


def publish(repository: Repository, folder: Path, online: Signer, at_ms: int) -> list[str]:
    """The names of what was published. Doing it twice changes nothing more.

    Raises:
        Refused: not signed by enough people, not the next version, software missing or other, an online key that is
            not the root's, expired.
    """
    with _alone(repository):
        root = _next_root(repository, folder)
        targets = _next_targets(repository, folder, root.signed)
        _online_is_known(root.signed, online)
        for one in (root, targets):
            if one.signed.is_expired(moment(at_ms)):
                raise Refused("expired", f"{one.signed.type} ran out on {one.signed.expires:%Y-%m-%d}: sign it anew.")
        published = _put_targets(repository, folder, targets.signed)
        place(repository.folder / f"{root.signed.version}.root.json", _bytes_of(repository, folder, ROOT, root))
        wire = _bytes_of(repository, folder, TARGETS, targets)
        place(repository.folder / f"{targets.signed.version}.targets.json", wire)
        _renew(repository, online, at_ms, MetaFile.from_data(targets.signed.version, wire, ["sha256"]))
        return published


def refresh(repository: Repository, online: Signer, at_ms: int, always: bool = False) -> bool:
    """A new timestamp where the last one is nearly a day old; whether there was need. Nothing published: nothing done.

    Raises:
        Refused: the online key is not the root's.
    """
    with _alone(repository):
        newest, root, snapshot = repository.timestamp(), repository.root(), repository.snapshot()
        if newest is None or root is None or snapshot is None:
            return False
        age = moment(at_ms) + timedelta(days=TIMESTAMP_DAYS) - newest.signed.expires
        if age < timedelta(hours=FRESH_HOURS) and not always:
            return False
        _online_is_known(root.signed, online)
        _renew(repository, online, at_ms, snapshot.signed.meta["targets.json"])
        return True


@contextmanager
def _alone(repository: Repository) -> Iterator[None]:
    """One writer at a time, of all processes of this machine."""
    repository.folder.mkdir(parents=True, exist_ok=True)
    with (repository.folder / ".writing").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _next_root(repository: Repository, folder: Path) -> Metadata[Root]:
    before = repository.root()
    if not (folder / ROOT).exists():
        if before is None:
            raise Refused("no_root", "There is no root yet: make and sign one first.")
        return before
    root: Metadata[Root] = read_metadata(folder / ROOT)
    if before is not None and root.signed_bytes == before.signed_bytes:
        return before
    if root.signed.version != (before.signed.version + 1 if before else 1):
        raise Refused("not_next", f"root version {root.signed.version} does not follow the one in force.")
    for judge in (before, root):
        if judge is not None:
            _enough("root", judge.signed, root)
    return root


def _next_targets(repository: Repository, folder: Path, root: Root) -> Metadata[Targets]:
    before = repository.targets()
    if not (folder / TARGETS).exists():
        if before is None:
            raise Refused("no_targets", "There is no list of software yet: stage one with the first root.")
        _enough("targets", root, before)  # people who left: a new root wants the list signed anew
        return before
    targets: Metadata[Targets] = read_metadata(folder / TARGETS)
    _enough("targets", root, targets)
    if before is not None and targets.signed_bytes == before.signed_bytes:
        return before
    if targets.signed.version != (before.signed.version + 1 if before else 1):
        raise Refused("not_next", f"targets version {targets.signed.version} does not follow the one in force.")
    check_software(folder, targets.signed)
    return targets


def _enough(role: str, judge: Root, signed: Metadata[Root] | Metadata[Targets]) -> None:
    try:
        judge.verify_delegate(role, signed.signed_bytes, signed.signatures)
    except RepositoryError:
        wanted = judge.roles[role].threshold
        raise Refused("too_few_signatures", f"{role} must be signed by {wanted} of its people.") from None


def _online_is_known(root: Root, online: Signer) -> None:
    if any(online.public_key.keyid not in root.roles[role].keyids for role in ("snapshot", "timestamp")):
        raise Refused("unknown_online_key", "The server's own key is not the one that the root names.")


def _put_targets(repository: Repository, folder: Path, targets: Targets) -> list[str]:
    published = []
    for name, target in sorted(targets.targets.items()):
        final = repository.targets_folder / f"{target.hashes['sha256']}.{name}"
        staged = folder / "targets" / name
        if staged.exists():
            place(final, staged.read_bytes())
            published.append(name)
        elif not final.exists():
            raise Refused("software_missing", f"{name} is listed, and neither staged nor published.")
    return published


def _bytes_of(repository: Repository, folder: Path, name: str, chosen: Metadata[Root] | Metadata[Targets]) -> bytes:
    """As the file was signed: read again and written anew it might differ by a space, and its hash with it."""
    published = repository.folder / f"{chosen.signed.version}.{name}"
    return published.read_bytes() if published.exists() else (folder / name).read_bytes()


def _renew(repository: Repository, online: Signer, at_ms: int, targets: MetaFile) -> None:
    """Snapshot and timestamp for these targets; the timestamp last."""
    now = moment(at_ms)
    before, stamped = repository.snapshot(), repository.timestamp()
    snapshot = Snapshot((before.signed.version if before else 0) + 1, expires=now + timedelta(days=SNAPSHOT_DAYS))
    snapshot.meta["targets.json"] = targets
    wire = _signed(snapshot, online)
    place(repository.folder / f"{snapshot.version}.snapshot.json", wire)
    timestamp = Timestamp((stamped.signed.version if stamped else 0) + 1, expires=now + timedelta(days=TIMESTAMP_DAYS))
    timestamp.snapshot_meta = MetaFile.from_data(snapshot.version, wire, ["sha256"])
    timestamp.unrecognized_fields[SIGNED_AT] = now.isoformat()
    place(repository.folder / "timestamp.json", _signed(timestamp, online))


def _signed(what: Snapshot | Timestamp, online: Signer) -> bytes:
    metadata: Metadata[Any] = Metadata(what)
    metadata.sign(online)
    return metadata.to_bytes()
