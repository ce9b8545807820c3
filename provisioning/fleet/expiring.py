"""Everything that ends one day: authorities and certificates, roles of signed software, keys of people, documents.

Ninety days before there is time for a plan, thirty for an order, seven for nothing but doing it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from provisioning.fleet import ca
from provisioning.fleet.alerts.standing import DAY_MS, URGENT_DAYS, WARN_DAYS, Standing
from provisioning.fleet.schema.enrolment import LateRenewal
from provisioning.fleet.schema.keys import KeyLoad
from provisioning.fleet.schema.places import PROVINCE
from provisioning.fleet.schema.terminals import Certificate, Terminal
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.updates.expiry import expiring as software_expiring
from provisioning.fleet.updates.repository import Repository

LISTED_DAYS = 90
LISTED_MAX = 300
TUF_FOLDER = "tuf"


@dataclass(frozen=True)
class Ends:
    """``kind``: authority | software | certificate | key_block | late_renewal. ``name``: which one of them."""

    kind: str
    name: str
    ends_ms: int

    def days_left(self, at_ms: int) -> float:
        return (self.ends_ms - at_ms) / DAY_MS


def everything(tenant: str, settings: FleetSettings, at_ms: int) -> list[Ends]:
    """What ends within ``LISTED_DAYS``, soonest first; authorities and software always, because all hang on them."""
    until_ms = at_ms + LISTED_DAYS * DAY_MS
    shared = [*_authorities(Path(settings.home)), *_software(Path(settings.public), at_ms)]
    own = [*_certificates(tenant, until_ms), *_key_blocks(tenant, at_ms, until_ms), *_late(tenant, at_ms)]
    return sorted([*shared, *own], key=lambda one: one.ends_ms)


def standing(settings: FleetSettings, tenant: str, at_ms: int) -> Iterator[Standing]:
    """What the province must do in time; certificates of terminals have an alert of their own."""
    if tenant != PROVINCE:
        return
    for one in [*_authorities(Path(settings.home)), *_software(Path(settings.public), at_ms)]:
        left = one.days_left(at_ms)
        if left <= WARN_DAYS:
            severity = "urgent" if left <= URGENT_DAYS else "warning"
            facts = {"ends_ms": one.ends_ms}
            yield Standing("expiring", f"{one.kind} {one.name}", severity, "system_admin", facts=facts)


def _authorities(home: Path) -> Iterator[Ends]:
    for authority in ca.authorities(home):
        ends = authority.certificate.not_valid_after_utc
        yield Ends("authority", authority.name, int(ends.timestamp() * 1000))


def _software(public: Path, at_ms: int) -> Iterator[Ends]:
    for role in software_expiring(Repository(public / TUF_FOLDER), at_ms):
        yield Ends("software", f"{role.role} {role.version}", role.expires_ms)


def _certificates(tenant: str, until_ms: int) -> Iterator[Ends]:
    mine = (Terminal.tenant == tenant) & (Terminal.state == "active")
    good = Certificate.revoked_ms.is_null() & (Certificate.not_after_ms <= until_ms)
    rows = Certificate.select(Certificate, Terminal).join(Terminal).where(mine & good)
    for row in rows.order_by(Certificate.not_after_ms).limit(LISTED_MAX):
        yield Ends("certificate", str(row.terminal.terminal_id), int(row.not_after_ms))


def _key_blocks(tenant: str, at_ms: int, until_ms: int) -> Iterator[Ends]:
    open_ = (KeyLoad.tenant == tenant) & (KeyLoad.state == "waiting") & (KeyLoad.expires_ms > at_ms)
    rows = KeyLoad.select(KeyLoad, Terminal).join(Terminal).where(open_ & (KeyLoad.expires_ms <= until_ms))
    for row in rows.limit(LISTED_MAX):
        yield Ends("key_block", str(row.terminal.terminal_id), int(row.expires_ms))


def _late(tenant: str, at_ms: int) -> Iterator[Ends]:
    """Expired already, and waiting for two people."""
    open_ = LateRenewal.used_ms.is_null() & LateRenewal.agreed_ms.is_null() & (Terminal.tenant == tenant)
    for row in LateRenewal.select(LateRenewal, Terminal).join(Terminal).where(open_).limit(LISTED_MAX):
        yield Ends("late_renewal", str(row.terminal.terminal_id), at_ms)
