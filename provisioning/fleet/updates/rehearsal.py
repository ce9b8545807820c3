"""Two people who sign software, for a demonstration: their keys lie beside the fleet, which no province may do."""

from pathlib import Path

from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.updates.acts import ONLINE_KEY, repository_of
from provisioning.fleet.updates.keys import file_signer, make_key, online_key
from provisioning.fleet.updates.publish import publish
from provisioning.fleet.updates.staging import Signers, sign, stage_root, stage_targets

SIGNERS = ("signer-1", "signer-2")
PASSPHRASE = "TEST passphrase"  # noqa: S105 - of keys that sign for a demonstration only


def rehearse_releases(settings: FleetSettings, out: Path, at_ms: int) -> None:
    """Keys in ``out``, and a first root with an empty list. What is there already stays."""
    repository, online = repository_of(settings), online_key(Path(settings.home) / ONLINE_KEY)
    if repository.root() is not None:
        return
    for name in SIGNERS:
        if not (out / f"{name}.key").exists():
            make_key(out / f"{name}.key", f"TEST {name}", PASSPHRASE)
    signers = [file_signer(out / f"{name}.key", PASSPHRASE) for name in SIGNERS]
    keys = [signer.public_key for signer in signers]
    folder = out / "first-root"
    stage_root(repository, Signers(keys, keys, online.public_key), folder, at_ms)
    stage_targets(repository, [], [], folder, at_ms)
    for signer in signers:
        sign(folder, signer)
    publish(repository, folder, online, at_ms)
