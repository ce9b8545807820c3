"""Which files belong to the fleet beside its tables: keys, authorities, and what is published."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from provisioning.fleet.settings import FleetSettings

HOME, PUBLIC = "home", "public"
# What can be published again; the metadata beside it says which versions there were, and must never go back.
ARTIFACTS = ("artifacts", "tuf/targets")
NOT_KEPT = (".sock", ".db", ".db-wal", ".db-shm", ".part")


@dataclass(frozen=True)
class Kept:
    """``without``: folders in it that stay away."""

    folder: Path
    without: tuple[str, ...] = ()

    def files(self) -> Iterator[Path]:
        """In the order of their names; no links, nothing that is made anew."""
        away = tuple(f"{name}/" for name in self.without)
        for path in sorted(self.folder.rglob("*")):
            within = path.relative_to(self.folder).as_posix()
            plain = path.is_file() and not path.is_symlink() and not path.name.endswith(NOT_KEPT)
            if plain and not within.startswith(away):
                yield path


def folders_of(settings: FleetSettings, artifacts: bool = True) -> dict[str, Kept]:
    """Name in a backup -> its folder."""
    public = Kept(Path(settings.public), () if artifacts else ARTIFACTS)
    return {HOME: Kept(Path(settings.home)), PUBLIC: public}
