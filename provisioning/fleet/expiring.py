"""Everything that ends one day: authorities and certificates, roles of signed software, keys of people, documents.

Ninety days before there is time for a plan, thirty for an order, seven for nothing but doing it. What lives for less
than that by design (a timestamp, a hotlist) is judged by its own life: half of it, a third, a sixth.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from provisioning.fleet import ca
from provisioning.fleet.alerts.standing import DAY_MS, NOTICE_DAYS, URGENT_DAYS, WARN_DAYS, Standing
from provisioning.fleet.desired.documents import brought
from provisioning.fleet.schema.enrolment import LateRenewal
from provisioning.fleet.schema.keys import KeyLoad
from provisioning.fleet.schema.places import PROVINCE, Place
from provisioning.fleet.schema.terminals import Certificate, Terminal
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.updates.expiry import expiring as software_expiring
from provisioning.fleet.updates.repository import Repository

LISTED_DAYS = NOTICE_DAYS
LISTED_MAX = 300
# How grave -> days before the end, and the part of a short life.
BOUNDS = (("urgent", URGENT_DAYS, 6), ("warning", WARN_DAYS, 3), ("notice", NOTICE_DAYS, 2))
TUF_FOLDER = "tuf"


@dataclass(frozen=True)
class Ends:
    """``kind``: authority | software | offline_policy | hotlist | psam_blocklist | certificate | key_block |
    late_renewal. ``name``: which one of them. ``life_ms``: from its beginning to its end, where that is short by
    design. ``place``: below which it is in force, where not everywhere."""

    kind: str
    name: str
    ends_ms: int
    life_ms: int | None = None
    place: Place | None = None

    def days_left(self, at_ms: int) -> float:
        return (self.ends_ms - at_ms) / DAY_MS

    def grave(self, at_ms: int) -> str | None:
        """urgent | warning | notice; None: it has time."""
        for severity, days, part in BOUNDS:
            bound_ms = days * DAY_MS if self.life_ms is None else min(days * DAY_MS, self.life_ms // part)
            if self.ends_ms - at_ms <= bound_ms:
                return severity
        return None


def everything(tenant: str, settings: FleetSettings, at_ms: int) -> list[Ends]:
    """What ends within ``LISTED_DAYS``, soonest first; authorities, software and documents always, because all hang on
    them."""
    until_ms = at_ms + LISTED_DAYS * DAY_MS
    shared = [*_authorities(Path(settings.home)), *_software(Path(settings.public), at_ms)]
    own = [*_certificates(tenant, until_ms), *_key_blocks(tenant, at_ms, until_ms), *_late(tenant, at_ms)]
    return sorted([*shared, *_documents(tenant, settings), *own], key=lambda one: one.ends_ms)


def standing(settings: FleetSettings, tenant: str, at_ms: int) -> Iterator[Standing]:
    """What the province must do in time for all, and each city for its own; certificates of terminals have an alert of
    their own."""
    if tenant == PROVINCE:
        ends, role = [*_authorities(Path(settings.home)), *_software(Path(settings.public), at_ms)], "system_admin"
    else:
        ends, role = [*_documents(tenant, settings)], "operator"
    for one in ends:
        severity = one.grave(at_ms)
        if severity is not None:
            subject = f"{one.kind} {one.name}" + (f", {one.place.name_zh}" if one.place else "")
            place = int(one.place.id) if one.place else 0
            yield Standing("expiring", subject, severity, role, place=place, facts={"ends_ms": one.ends_ms})


def _authorities(home: Path) -> Iterator[Ends]:
    for authority in ca.authorities(home):
        ends = authority.certificate.not_valid_after_utc
        yield Ends("authority", authority.name, int(ends.timestamp() * 1000))


def _software(public: Path, at_ms: int) -> Iterator[Ends]:
    for role in software_expiring(Repository(public / TUF_FOLDER), at_ms):
        # What the server signs by itself is signed anew each day: that it is half over is a fault already.
        life_ms = None if role.signed_by_people else role.life_ms
        yield Ends("software", f"{role.role} {role.version}", role.expires_ms, life_ms)


def _documents(tenant: str, settings: FleetSettings) -> Iterator[Ends]:
    for one in brought(Path(settings.home), tenant):
        yield Ends(one.kind, str(one.version), one.ends_ms, one.life_ms, one.place)


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
