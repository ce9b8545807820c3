"""What people do with releases, on the audit trail of the province: what is published runs in every city."""

from pathlib import Path

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.schema.places import PROVINCE
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.updates import expiry
from provisioning.fleet.updates.keys import name_of, online_key
from provisioning.fleet.updates.publish import publish, refresh
from provisioning.fleet.updates.repository import Release, Repository

TUF_FOLDER = "tuf"  # below the settings' ``public``
ONLINE_KEY = "tuf-online.key"  # below their ``home``


def repository_of(settings: FleetSettings) -> Repository:
    return Repository(Path(settings.public) / TUF_FOLDER)


def publish_release(actor: Actor, settings: FleetSettings, folder: Path, at_ms: int) -> list[str]:
    """Take a signed folder into the repository; the names of what is new. What is refused stands on the trail, too.

    Raises:
        NotFound: not somebody of the province. Refused: see ``publish.publish``.
    """
    _of_province(actor)
    repository = repository_of(settings)
    try:
        published = publish(repository, folder, online_key(Path(settings.home) / ONLINE_KEY), at_ms)
    except Refused as refused:
        with step():
            audit.record(actor, at_ms, "release_refused", "releases", str(refused), {"code": refused.code})
        raise
    with step():
        audit.record(actor, at_ms, "release_published", "releases", "", _facts(repository, published))
    return published


def refresh_timestamp(settings: FleetSettings, at_ms: int) -> bool:
    """By the server itself, whenever it likes; whether there was need. Raises Refused: the key is not the root's."""
    repository = repository_of(settings)
    if repository.timestamp() is None:
        return False
    return refresh(repository, online_key(Path(settings.home) / ONLINE_KEY), at_ms)


def releases(settings: FleetSettings) -> list[Release]:
    """What terminals may install now, of every city."""
    return repository_of(settings).releases()


def expiring(settings: FleetSettings, at_ms: int) -> list[expiry.Expiring]:
    """Roles of the repository by their end, soonest first; [] before the first release."""
    return expiry.expiring(repository_of(settings), at_ms)


def _of_province(actor: Actor) -> None:
    if actor.tenant != PROVINCE:
        raise NotFound("releases are the province's")


def _facts(repository: Repository, published: list[str]) -> dict[str, object]:
    """Which list, and who signed it, by name."""
    root, targets = repository.root(), repository.targets()
    assert root is not None and targets is not None, "published a moment ago"
    signed = [name_of(root.signed.keys[one]) for one in targets.signatures if one in root.signed.keys]
    versions = {"root": root.signed.version, "targets": targets.signed.version}
    return {"new": published, "signed_by": sorted(signed), **versions}
