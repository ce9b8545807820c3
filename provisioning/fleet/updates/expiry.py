"""What of the signed software runs out, for the page of everything that expires."""

from dataclasses import dataclass

from provisioning.fleet.updates.publish import SNAPSHOT_DAYS, TIMESTAMP_DAYS
from provisioning.fleet.updates.repository import Repository
from provisioning.fleet.updates.staging import ROOT_DAYS, TARGETS_DAYS

DAY_MS = 86_400_000
LIFE_DAYS = {"root": ROOT_DAYS, "targets": TARGETS_DAYS, "snapshot": SNAPSHOT_DAYS, "timestamp": TIMESTAMP_DAYS}


@dataclass(frozen=True)
class Expiring:
    """``life_ms``: of one signature. ``signed_by_people``: two of them must sign it anew; else the server does so by
    itself, and lateness is a fault."""

    role: str
    version: int
    expires_ms: int
    life_ms: int
    days_left: float
    signed_by_people: bool


def expiring(repository: Repository, at_ms: int) -> list[Expiring]:
    """Every role that is published, what ends soonest first."""
    found = []
    for metadata in (repository.root(), repository.targets(), repository.snapshot(), repository.timestamp()):
        if metadata is not None:
            ends_ms = int(metadata.signed.expires.timestamp() * 1000)
            by_people = metadata.signed.type in ("root", "targets")
            days, life_ms = (ends_ms - at_ms) / DAY_MS, LIFE_DAYS[metadata.signed.type] * DAY_MS
            found.append(Expiring(metadata.signed.type, metadata.signed.version, ends_ms, life_ms, days, by_people))
    return sorted(found, key=lambda one: one.expires_ms)
