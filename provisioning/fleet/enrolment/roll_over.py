"""An authority is followed by another: its terminals are told to renew, a few at a time."""

from pathlib import Path

from provisioning.fleet import audit, ca
from provisioning.fleet.actor import Actor
from provisioning.fleet.database import step
from provisioning.fleet.schema.terminals import Certificate, Terminal
from provisioning.fleet.touch import touch

SPREAD_MS = 14 * 24 * 3600 * 1000
CHUNK = 500


def retire(actor: Actor, home: Path, name: str, at_ms: int) -> int:
    """It gives no more certificates, and whoever has one of it renews within ``SPREAD_MS``; how many those are.

    Raises:
        Refused: there is no such authority, or none would be left.
    """
    ca.retire(home, name)
    theirs = (Certificate.issuer == name) & Certificate.revoked_ms.is_null() & (Certificate.not_after_ms > at_ms)
    serials = [row.serial for row in Certificate.select(Certificate.serial).where(theirs).order_by(Certificate.serial)]
    for start in range(0, len(serials), CHUNK):
        _tell(serials[start : start + CHUNK], at_ms)
    with step():
        audit.record(actor, at_ms, "authority_retire", name, "", {"certificates": len(serials)})
    return len(serials)


def _tell(serials: list[str], at_ms: int) -> None:
    """Serial numbers are drawn by chance, so their own digits spread them."""
    with step():
        for serial in serials:
            due_ms = at_ms + int(serial[-8:], 16) % SPREAD_MS
            sooner = (Certificate.serial == serial) & (Certificate.renew_ms.is_null() | (Certificate.renew_ms > due_ms))
            Certificate.update(renew_ms=due_ms).where(sooner).execute()
        holders = Certificate.select(Certificate.terminal).where(Certificate.serial.in_(serials))
        touch(Terminal.id.in_(holders), at_ms)
