"""Opens an application bundle: plain files that its manifest names, and nothing else, however it was packed.

Two people signed it, and still nothing in it is trusted to be where it says: a builder may be wrong, and what is
unpacked runs as the kiosk.
"""

import gzip
import hashlib
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path, PurePosixPath

from provisioning.rules.releases import (
    MANIFEST,
    Journal,
    Manifest,
    NotAllowed,
    can_be_taken_back,
    can_read,
    read_manifest,
)
from provisioning.terminal.disk import Disk
from provisioning.terminal.updates.refused import UpdateRefused

MANIFEST_BYTES_MAX = 4 << 20
FILE_MODE, FOLDER_MODE = 0o644, 0o755  # the kiosk's user reads what the agent's wrote


def unpack(bundle: Path, into: Path, disk: Disk, fits: Callable[[Manifest], None]) -> Manifest:
    """Into an empty folder, each file flushed. ``fits`` judges the manifest before anything else is read.

    Raises:
        UpdateRefused: ``not_a_bundle``, or what ``fits`` raises. OSError.
    """
    with _opened(bundle) as tar:
        manifest, told = _manifest(tar)
        fits(manifest)
        disk.folder(into, FOLDER_MODE)
        left = dict(manifest.files)
        while (member := tar.next()) is not None:
            expected = left.pop(member.name, None)
            if expected is None or not member.isreg() or member.size != expected.size:
                raise UpdateRefused("not_a_bundle", "a member that the manifest does not name so")
            content = _read(tar, member)
            if hashlib.sha256(content).hexdigest() != expected.sha256:
                raise UpdateRefused("not_a_bundle", "a file that the manifest describes otherwise")
            path = into / PurePosixPath(member.name)
            disk.folder(path.parent, FOLDER_MODE)
            disk.put(path, content, FILE_MODE)
        if left:
            raise UpdateRefused("not_a_bundle", f"{len(left)} files are missing")
        disk.write(into / MANIFEST, told, FILE_MODE)
    return manifest


def read_bundle(bundle: Path) -> Manifest:
    """Raises UpdateRefused ``not_a_bundle``; OSError."""
    with _opened(bundle) as tar:
        return _manifest(tar)[0]


def check_needs(manifest: Manifest, running: Journal) -> None:
    """Raises UpdateRefused: ``needs_image``: this machine has not what it takes; ``no_way_back``: the journal that it
    would leave behind could not be read by what runs now; ``no_way_on``: it cannot read the journal that is here."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if manifest.needs.python != here:
        raise UpdateRefused("needs_image", f"it wants Python {manifest.needs.python}, here is {here}")
    for name, version in manifest.needs.libraries.items():
        found = _installed(name)
        if found != version:
            raise UpdateRefused("needs_image", f"it wants {name} {version}, here is {found or 'none'}"[:160])
    if not can_be_taken_back(running, manifest.journal):
        raise UpdateRefused("no_way_back", "the journal could not be read any more by the version before")
    if not can_read(running, manifest.journal):
        raise UpdateRefused("no_way_on", "it cannot read the journal that is here")


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


@contextmanager
def _opened(bundle: Path) -> Iterator[tarfile.TarFile]:
    """As a stream: nothing is looked up in it by name, so that no second member can stand for a first."""
    try:
        with tarfile.open(bundle, "r|gz") as tar:
            yield tar
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, UnicodeError, ValueError) as error:
        raise UpdateRefused("not_a_bundle", f"it cannot be read: {type(error).__name__}") from error


def _manifest(tar: tarfile.TarFile) -> tuple[Manifest, bytes]:
    first = tar.next()
    if first is None or first.name != MANIFEST or not first.isreg() or first.size > MANIFEST_BYTES_MAX:
        raise UpdateRefused("not_a_bundle", "it does not begin with its manifest")
    told = _read(tar, first)
    try:
        return read_manifest(told), told
    except NotAllowed as error:
        raise UpdateRefused("not_a_bundle", str(error)) from error


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None, "a plain file"
    return file.read()
