"""Files that settings speak of (an emblem, offline policy, hotlist): kept by digest in a private folder of the city."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.schema.desired import SettingsBody
from provisioning.rules.desired import BODY_BYTES_MAX

FOLDER = "bodies"


def keep_body(actor: Actor, home: Path, pieces: Iterable[bytes], at_ms: int) -> SettingsBody:
    """``pieces``: the file as it comes in. One that is there already is the same file.

    Raises:
        Refused: ``too_large``. OSError: the disk is full or gone.
    """
    folder = home / FOLDER / actor.tenant
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = folder / f".{os.getpid()}.{os.urandom(6).hex()}"
    try:
        sha256, count = _write(beside, pieces)
        beside.replace(folder / sha256)
    finally:
        beside.unlink(missing_ok=True)
    with step():
        mine = (SettingsBody.tenant == actor.tenant) & (SettingsBody.sha256 == sha256)
        row: SettingsBody | None = SettingsBody.get_or_none(mine)
        if row is None:
            brought = {"brought_by": actor.who, "brought_ms": at_ms}
            row = SettingsBody.create(tenant=actor.tenant, sha256=sha256, bytes=count, **brought)
            audit.record(actor, at_ms, "bring_file", sha256, "", {"bytes": count})
    return row


def body_path(home: Path, tenant: str, sha256: str) -> Path:
    """Raises NotFound: this city has no such file."""
    path = home / FOLDER / tenant / sha256
    if SettingsBody.get_or_none((SettingsBody.tenant == tenant) & (SettingsBody.sha256 == sha256)) is None:
        raise NotFound
    if not path.is_file():
        raise NotFound
    return path


def _write(path: Path, pieces: Iterable[bytes]) -> tuple[str, int]:
    digest, count = hashlib.sha256(), 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for piece in pieces:
            count += len(piece)
            if count > BODY_BYTES_MAX:
                raise Refused("too_large", f"A file of settings has at most {BODY_BYTES_MAX // 2**20} MiB.")
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), count
