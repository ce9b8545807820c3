"""After a restore: certificates that were given after the backup was made are known again when they are shown.

nginx has proven that one of our authorities signed it and that the caller has its key. What is not known any more is
whether it was revoked meanwhile; that stands in the memo of any terminal, so what a memo says goes before this.
"""

import json

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor
from provisioning.fleet.alerts.watch import place_of_city
from provisioning.fleet.ca import name_of
from provisioning.fleet.database import step
from provisioning.fleet.enrolment.csr import shown_certificate, shown_fingerprint
from provisioning.fleet.epoch.acts import document, locked
from provisioning.fleet.schema.places import Tenant
from provisioning.fleet.schema.terminals import Certificate, Terminal
from provisioning.fleet.touch import touch
from provisioning.rules.enrolment import renewal_ms
from provisioning.rules.epoch import MEMO_KIND

BACKDATED_MS = 3_600_000  # as the authority writes them
_ACT = "known_again"


def readopt(serial: str, header: str, at_ms: int) -> Certificate | None:
    """The certificate with its row, where a city is coming back from a backup and it was given after that backup.

    ``header``: of nginx, as ``shown_certificate`` reads it. None: it stays unknown.
    """
    shown = shown_certificate(header)
    names = _names(shown) if shown else None
    if shown is None or names is None:
        return None
    city, terminal_id, maker = names
    if not Tenant.select().where((Tenant.code == city) & Tenant.restored_ms.is_null(False)).exists():
        return None  # nearly always; without a lock
    with step():
        tenant = locked(city)  # a memo that is being heard at this moment goes before
        if tenant is None or tenant.restored_ms is None:
            return None
        known: Certificate | None = Certificate.get_or_none(Certificate.serial == serial)
        if known is not None:  # by another question of it, at the same moment
            return known
        if _ms(shown) + BACKDATED_MS < tenant.restored_ms or _is_revoked(city, serial, terminal_id):
            return None
        terminal = _terminal(city, terminal_id, maker, at_ms)
        if terminal is None:
            return None
        return _known_again(terminal, serial, shown, at_ms)


def _known_again(terminal: Terminal, serial: str, shown: x509.Certificate, at_ms: int) -> Certificate:
    """Renewed in its time, and with its authority, like one whose row was never lost."""
    begins_ms, ends_ms = _ms(shown), int(shown.not_valid_after_utc.timestamp() * 1000)
    made: Certificate = Certificate.create(
        serial=serial,
        terminal=terminal,
        fingerprint=shown_fingerprint(shown),
        issuer=name_of(shown),
        not_before_ms=begins_ms,
        not_after_ms=ends_ms,
        renew_ms=renewal_ms(begins_ms, ends_ms, serial),
        pem=shown.public_bytes(serialization.Encoding.PEM).decode(),
    )
    touch(Terminal.id == terminal.id, at_ms)
    who = Actor(terminal.tenant_id, f"terminal:{terminal.terminal_id}")
    audit.record(who, at_ms, _ACT, terminal.terminal_id, "given after the backup", {"certificate": serial})
    return made


def _terminal(city: str, terminal_id: str, maker: str, at_ms: int) -> Terminal | None:
    """Its row, made anew where it was enrolled after the backup; None where that number is another machine's."""
    found: Terminal | None = Terminal.get_or_none(Terminal.terminal_id == terminal_id)
    if found is not None:
        return found if (found.tenant_id, found.serial) == (city, maker) else None
    if Terminal.get_or_none(Terminal.serial == maker) is not None:
        return None
    place = place_of_city(city)  # where it stands a person must say again
    row = {"serial": maker, "place": place, "state": "active", "created_ms": at_ms, "changed_ms": at_ms}
    made: Terminal = Terminal.create(tenant=city, terminal_id=terminal_id, **row)
    audit.record(Actor(city, "fleet"), at_ms, _ACT, terminal_id, "enrolled after the backup", {"place": place})
    return made


def _is_revoked(city: str, serial: str, terminal_id: str) -> bool:
    """By the newest memo that was heard."""
    wire = document(city, MEMO_KIND)
    memo = json.loads(wire)["document"] if wire else {}  # its signature was judged when it came
    return serial in memo.get("revoked", ()) or terminal_id in memo.get("stopped", ())


def _names(shown: x509.Certificate) -> tuple[str, str, str] | None:
    """City, terminal number and the maker's serial number of its subject."""
    found = [shown.subject.get_attributes_for_oid(oid) for oid in _PARTS]
    if any(len(one) != 1 for one in found):
        return None
    city, terminal_id, maker = (str(one[0].value) for one in found)
    return city, terminal_id, maker


_PARTS = (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME, NameOID.SERIAL_NUMBER)


def _ms(shown: x509.Certificate) -> int:
    return int(shown.not_valid_before_utc.timestamp() * 1000)
