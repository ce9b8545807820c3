"""Builds the application bundle from a source tree: the same tree makes the same bytes, on any day and machine.

Only what terminals run goes in: no tests, no simulators, no server, nothing that a build left behind.
"""

import ast
import gzip
import hashlib
import io
import re
import tarfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from provisioning.fleet.actor import Refused
from provisioning.rules.releases import (
    BUNDLE_BYTES_MAX,
    MANIFEST,
    File,
    Journal,
    Manifest,
    Needs,
    NotAllowed,
    read_manifest,
)

PACKAGES = ("kiosk", "drivers", "screens", "offline_queue", "provisioning")
LEFT_OUT = ("provisioning/fleet/",)  # the server's side
SUFFIXES = frozenset({".py", ".kv", ".mo", ".po", ".json", ".toml", ".png", ".typed"})
PYTHON = "3.11"
COMPRESSION = 9
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ \\;]+)")
NAME = re.compile(r"^[A-Za-z0-9._-]+")


def build(tree: Path, version: str) -> bytes:
    """A bundle of ``tree``, the root of a checked-out source whose catalogs are compiled.

    Raises:
        Refused: no such source, a path or version that no bundle may have, or too large. OSError.
    """
    contents = {path.relative_to(tree).as_posix(): path.read_bytes() for path in _sources(tree)}
    contents |= _told_of(tree, version)
    files = {name: File(sha256=hashlib.sha256(raw).hexdigest(), size=len(raw)) for name, raw in contents.items()}
    manifest = Manifest(
        format=1,
        kind="application",
        version=version,
        journal=_journal(tree),
        needs=Needs(python=PYTHON, libraries=_libraries(tree)),
        files=files,
    )
    head = msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=1)
    try:
        read_manifest(head)
    except NotAllowed as error:
        raise Refused("not_a_bundle", str(error)) from error
    bundle = _packed({MANIFEST: head, **dict(sorted(contents.items()))})
    if len(bundle) > BUNDLE_BYTES_MAX:
        raise Refused("too_large", f"The bundle would have {len(bundle)} bytes.")
    return bundle


def _sources(tree: Path) -> Iterator[Path]:
    for package in PACKAGES:
        if not (tree / package / "__init__.py").exists():
            raise Refused("no_source", f"{tree} holds no package {package}.")
        for path in sorted((tree / package).rglob("*")):
            name = path.relative_to(tree).as_posix()
            if path.is_file() and not path.is_symlink() and path.suffix in SUFFIXES and not name.startswith(LEFT_OUT):
                yield path


def _told_of(tree: Path, version: str) -> dict[str, bytes]:
    """What an installed package says of itself: by this, drivers are found by their entry points."""
    project = _project(tree)
    groups = (
        f"[{group}]\n" + "".join(f"{name} = {where}\n" for name, where in sorted(points.items()))
        for group, points in sorted(project.get("entry-points", {}).items())
    )
    folder = f"{project['name']}-{version}.dist-info"
    return {
        f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {version}\n".encode(),
        f"{folder}/entry_points.txt": "\n".join(groups).encode(),
    }


def _project(tree: Path) -> dict[str, Any]:
    told: dict[str, Any] = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return told


def _journal(tree: Path) -> Journal:
    """By the two constants of the journal's own code, read and not run."""
    told: dict[str, Any] = {}
    for statement in ast.parse((tree / "offline_queue" / "layout.py").read_bytes()).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            told |= {name.id: statement.value.value for name in statement.targets if isinstance(name, ast.Name)}
    try:
        return Journal(layout=told["LAYOUT"], back_to=told["BACK_TO"])
    except KeyError:
        raise Refused("no_layout", "offline_queue/layout.py does not say its LAYOUT and BACK_TO.") from None


def _libraries(tree: Path) -> dict[str, str]:
    """The versions in the lock of what the project names for terminals."""
    names = {found[0].lower() for one in _project(tree)["dependencies"] if (found := NAME.match(one))}
    lines = (tree / "requirements.lock").read_text(encoding="utf-8").splitlines()
    locked = {found[1].lower(): found[2] for line in lines if (found := PIN.match(line))}
    missing = names - locked.keys()
    if missing:
        raise Refused("not_locked", f"requirements.lock does not name {', '.join(sorted(missing))}.")
    return {name: locked[name] for name in sorted(names)}


def _packed(contents: dict[str, bytes]) -> bytes:
    """No time, no owner, no name of this machine; the order of ``contents``."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, raw in contents.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(raw), 0o644, 0
            tar.addfile(member, io.BytesIO(raw))
    return gzip.compress(plain.getvalue(), COMPRESSION, mtime=0)
