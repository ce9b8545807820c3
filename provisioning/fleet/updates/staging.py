"""What two people are to sign: a folder that is carried from machine to machine, on a stick if need be.

root.json       a new root, where who signs what is changed
targets.json    the new list of software
trusted.json    the root in force when the folder was made, "" as first root of all
targets/NAME    the software itself
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from securesystemslib.signer import Key, Signer
from tuf.api.exceptions import LengthOrHashMismatchError, RepositoryError
from tuf.api.metadata import Metadata, Root, TargetFile, Targets

from provisioning.fleet.actor import Refused
from provisioning.fleet.updates.keys import name_of
from provisioning.fleet.updates.repository import Repository, moment, place, read_metadata, release_of
from provisioning.rules.releases import Software, target_name

ROOT, TARGETS, TRUSTED = "root.json", "targets.json", "trusted.json"
ROOT_DAYS, TARGETS_DAYS = 365, 365
SIGNERS_MIN = 2  # of root and of targets: nobody changes alone what runs everywhere


@dataclass(frozen=True)
class Signers:
    """Public keys of each role. ``online``: the server's one key."""

    root: Sequence[Key]
    targets: Sequence[Key]
    online: Key


def stage_root(repository: Repository, signers: Signers, folder: Path, at_ms: int) -> None:
    """A first root, or the next one. Signed by two of the old root's people and two of the new one's.

    Raises:
        Refused: fewer than two people for a role.
    """
    if min(len({key.keyid for key in keys}) for keys in (signers.root, signers.targets)) < SIGNERS_MIN:
        raise Refused("too_few_signers", f"root and targets need the keys of at least {SIGNERS_MIN} people each.")
    before = repository.root()
    root = Root(before.signed.version + 1 if before else 1, expires=moment(at_ms) + timedelta(days=ROOT_DAYS))
    for role, keys in (("root", signers.root), ("targets", signers.targets)):
        for key in keys:
            root.add_key(key, role)
        root.roles[role].threshold = SIGNERS_MIN
    for role in ("snapshot", "timestamp"):
        root.add_key(signers.online, role)
    _begin(folder, before)
    place(folder / ROOT, Metadata(root).to_bytes())


def stage_targets(
    repository: Repository, add: Iterable[tuple[Path, Software]], withdraw: Iterable[str], folder: Path, at_ms: int
) -> None:
    """The next list of software: what is listed now, less what is withdrawn, and what is new. ``folder`` may hold a
    staged first root already; else there is a root in force.

    Raises:
        Refused: no root; a name that is listed with other content, or is not listed and to be withdrawn.
    """
    if repository.root() is None and not (folder / ROOT).exists():
        raise Refused("no_root", "There is no root yet: make and publish it first.")
    before = repository.targets()
    targets = Targets(before.signed.version + 1 if before else 1, expires=moment(at_ms) + timedelta(days=TARGETS_DAYS))
    targets.targets = dict(before.signed.targets) if before else {}
    for name in withdraw:
        if targets.targets.pop(name, None) is None:
            raise Refused("not_listed", f"{name} is not listed; nothing was staged.")
    _begin(folder, repository.root())
    for path, software in add:
        _list_one(targets, path, software, folder)
    place(folder / TARGETS, Metadata(targets).to_bytes())


def _begin(folder: Path, trusted: Metadata[Root] | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / TRUSTED).exists():
        place(folder / TRUSTED, trusted.to_bytes() if trusted else b"")


def _list_one(targets: Targets, path: Path, software: Software, folder: Path) -> None:
    name = target_name(software)
    content = path.read_bytes()
    target = TargetFile.from_data(name, content, ["sha256"])
    target.unrecognized_fields["custom"] = {"kind": software.kind, "version": software.version}
    listed = targets.targets.get(name)
    if listed is not None and listed.hashes != target.hashes:
        raise Refused("other_content", f"{name} is listed with other content; a version is made once.")
    targets.targets[name] = target
    place(folder / "targets" / name, content)


def sign(folder: Path, signer: Signer) -> list[str]:
    """Put one person's signature to everything here that this person may sign. Returns, in words, what was signed.

    Raises:
        Refused: nothing here is this person's to sign, or the software is not what the list says.
    """
    signed: list[str] = []
    for name, keyids in _entitled(folder).items():
        staged = read_metadata(folder / name)
        if signer.public_key.keyid not in keyids:
            continue
        if isinstance(staged.signed, Targets):
            check_software(folder, staged.signed)
        try:
            staged.sign(signer, append=True)
        except RepositoryError as error:
            raise Refused("not_signed", str(error.__cause__ or error)) from error
        place(folder / name, staged.to_bytes())
        signed += _words(name, staged, folder)
    if not signed:
        raise Refused("not_a_signer", "Nothing in this folder is to be signed with this key.")
    return signed


def _entitled(folder: Path) -> Mapping[str, set[str]]:
    """Which keys may sign which file: a root by the people of the old one and of itself."""
    trusted = _trusted(folder)
    newer = read_metadata(folder / ROOT) if (folder / ROOT).exists() else None
    found: dict[str, set[str]] = {}
    if newer is not None:
        found[ROOT] = {*newer.signed.roles["root"].keyids, *(trusted.signed.roles["root"].keyids if trusted else ())}
    in_force = newer or trusted
    if (folder / TARGETS).exists() and in_force is not None:
        found[TARGETS] = set(in_force.signed.roles["targets"].keyids)
    return found


def _trusted(folder: Path) -> Metadata[Root] | None:
    path = folder / TRUSTED
    return read_metadata(path) if path.exists() and path.stat().st_size else None


def check_software(folder: Path, targets: Targets) -> None:
    """Raises Refused: a file in the folder is not what the list says."""
    for path in sorted((folder / "targets").glob("*")):
        listed = targets.targets.get(path.name)
        if listed is None:
            raise Refused("not_listed", f"{path.name} is in the folder and not in the list.")
        try:
            listed.verify_length_and_hashes(path.read_bytes())
        except LengthOrHashMismatchError:
            raise Refused("other_content", f"{path.name} is not what the list says.") from None


def _words(name: str, staged: Metadata[Any], folder: Path) -> list[str]:
    lines = [f"{name} version {staged.signed.version}, until {staged.signed.expires:%Y-%m-%d}"]
    if isinstance(staged.signed, Root):
        for role in ("root", "targets"):
            people = ", ".join(sorted(name_of(staged.signed.keys[one]) for one in staged.signed.roles[role].keyids))
            lines.append(f"  {role}: {staged.signed.roles[role].threshold} of {people}")
    else:
        new = {path.name for path in (folder / "targets").glob("*")}
        for release in map(release_of, staged.signed.targets.values()):
            mark = "new " if release.name in new else "    "
            lines.append(f"  {mark}{release.name} {release.bytes_long} bytes sha256 {release.sha256}")
    return [*lines, f"  signatures: {len(staged.signatures)}"]
