"""Which files belong to the fleet beside its tables."""

from pathlib import Path

from provisioning.fleet.settings import FleetSettings

HOME, PUBLIC, TUF = "home", "public", "tuf"


def folders_of(settings: FleetSettings, artifacts: bool) -> dict[str, Path]:
    """Name in a backup -> folder. Without artifacts only the metadata of releases: what can be published again stays
    away, what says which versions there were does not."""
    every = every_folder(settings)
    return {name: folder for name, folder in every.items() if name != (TUF if artifacts else PUBLIC)}


def every_folder(settings: FleetSettings) -> dict[str, Path]:
    """Where a restore may write."""
    public = Path(settings.public)
    return {HOME: Path(settings.home), PUBLIC: public, TUF: public / "tuf" / "metadata"}
