"""The repository on a USB stick, for terminals without a line: the same files, the same signatures."""

import shutil
from pathlib import Path

from provisioning.fleet.actor import Refused
from provisioning.fleet.updates.repository import Repository, place

FOLDER = Path("yikatong") / "tuf"  # as provisioning/terminal/updates/stick.py looks for it


def write_stick(repository: Repository, to: Path, names: list[str] | None = None) -> list[str]:
    """``names``: of the software; None: all that is listed. The timestamp goes last: a stick that was pulled out half
    written holds nothing new. Returns what is on it.

    Raises:
        Refused: nothing is published, or a name is not listed. OSError: the stick is full or gone.
    """
    snapshot, targets = repository.snapshot(), repository.targets()
    if snapshot is None or targets is None:
        raise Refused("nothing_published", "Nothing is published yet.")
    listed = {release.name: release for release in repository.releases()}
    unknown = set(names or ()) - listed.keys()
    if unknown:
        raise Refused("not_listed", f"Not listed: {', '.join(sorted(unknown))}.")
    wanted = [listed[name] for name in (names if names is not None else sorted(listed))]
    folder = to / FOLDER
    (folder / "targets").mkdir(parents=True, exist_ok=True)
    for release in wanted:
        source = repository.target_path(release)
        shutil.copyfile(source, folder / "targets" / source.name)
    roots = sorted(repository.folder.glob("*.root.json"))
    numbered = [f"{snapshot.signed.version}.snapshot.json", f"{targets.signed.version}.targets.json"]
    for path in [*roots, *(repository.folder / name for name in numbered), repository.folder / "timestamp.json"]:
        place(folder / path.name, path.read_bytes())
    return [release.name for release in wanted]
