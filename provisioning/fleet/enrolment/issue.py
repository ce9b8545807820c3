"""Questions for a certificate, judged and answered: the first one of a key, and each renewal."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from provisioning.fleet import audit, ca
from provisioning.fleet.actor import Actor, Refused
from provisioning.fleet.database import step
from provisioning.fleet.desired.versions import wanted_anew
from provisioning.fleet.enrolment import expected, late, requests
from provisioning.fleet.enrolment.csr import Asked, serial_of, subject_of
from provisioning.fleet.identity import serial_hex
from provisioning.fleet.schema.enrolment import EnrolmentRequest, Presence
from provisioning.fleet.schema.terminals import Certificate, Terminal
from provisioning.fleet.touch import touch
from provisioning.rules.enrolment import is_serial, renewal_ms

LIFE_DAYS = 365.0


@dataclass(frozen=True)
class Office:
    """Where certificates come from. ``home``: of the fleet; ``life_days``: how long one is good."""

    home: Path
    life_days: float = LIFE_DAYS


def enrol(office: Office, asked: Asked, shown: str, address: str, at_ms: int) -> x509.Certificate | None:
    """The certificate of a key that may have one, the same one again where it has; None: people have not said yet.

    ``shown``: fingerprint of the key that the connection has proven.

    Raises:
        Refused: another key than the connection's, no serial number, refused by a person, expected with another key,
            stopped, or too many wait.
    """
    if shown != asked.fingerprint:
        raise Refused("wrong_key", "The request is for another key than the connection was made with.")
    serial = serial_of(asked.subject)
    if not is_serial(serial):
        raise Refused("wrong_subject", "A request names the serial number as its one common name.")
    with step():
        request = requests.asked_by(asked.fingerprint, serial, address, at_ms)
        if request.state == "waiting":
            request = expected.meet(request, at_ms)
        if request.state == "waiting":
            return None
        if request.state == "refused":
            raise Refused("refused", "This key was refused. An installer resets the terminal to make a new one.")
        return _given(office, request, asked, at_ms)


def renew(office: Office, asked: Asked, shown: str, at_ms: int) -> x509.Certificate | None:
    """A new certificate for the same key; None: the old one has expired, and nobody has agreed yet.

    Raises:
        Refused: unknown, revoked or stopped; another key or subject; renewed late once already.
    """
    if shown != asked.fingerprint:
        raise Refused("wrong_key", "A new key is confirmed like a new terminal; only the old one renews.")
    with step():
        newest = _newest(asked.fingerprint)
        if newest is None:
            raise Refused("unknown", "The fleet gave this key no certificate.")
        terminal: Terminal = newest.terminal
        _may_go_on(terminal, newest)
        if asked.subject != subject_of(terminal.tenant_id, terminal.terminal_id, terminal.serial):
            raise Refused("wrong_subject", "A renewal names the subject of the certificate that is renewed.")
        if newest.not_after_ms <= at_ms and not late.agreed(terminal, asked.fingerprint, at_ms):
            return None
        return _fresh(office, terminal, asked, at_ms, "certificate_renew")


def _given(office: Office, request: EnrolmentRequest, asked: Asked, at_ms: int) -> x509.Certificate:
    terminal = request.terminal
    assert terminal is not None, "who was confirmed has a terminal"
    newest = _newest(asked.fingerprint)
    if newest is not None:
        # Asked again, because the power was cut before the answer was kept: the same answer, not a second one.
        _may_go_on(terminal, newest)
        if newest.not_after_ms <= at_ms:
            raise Refused("expired", "The certificate has expired. Renew it; somebody has to agree.")
        return x509.load_pem_x509_certificate(newest.pem.encode())
    _end_others(terminal, asked.fingerprint, at_ms)
    EnrolmentRequest.update(state="issued").where(EnrolmentRequest.fingerprint == asked.fingerprint).execute()
    Terminal.update(state="active").where(Terminal.id == terminal.id).execute()
    if not terminal.desired_version:
        wanted_anew(terminal.tenant_id, terminal.terminal_id, at_ms)
    return _fresh(office, terminal, asked, at_ms, "certificate_issue")


def _may_go_on(terminal: Terminal, certificate: Certificate) -> None:
    if certificate.revoked_ms is not None:
        raise Refused("revoked", "This certificate was revoked.")
    if terminal.state != "active":
        raise Refused("stopped", f"This terminal is {terminal.state}.")
    presence = Presence.get_or_none(Presence.terminal == terminal.id)
    if presence is not None and presence.doubted_ms is not None:
        raise Refused("in_doubt", "Two places speak as this terminal. A person must decide first.")


def _newest(fingerprint: str) -> Certificate | None:
    mine = Certificate.select().where(Certificate.fingerprint == fingerprint)
    newest: Certificate | None = mine.order_by(Certificate.not_after_ms.desc()).first()
    return newest


def _end_others(terminal: Terminal, fingerprint: str, at_ms: int) -> None:
    """A terminal that got a new key has lost the old one, and whoever has that is not this terminal."""
    others = (Certificate.terminal == terminal.id) & (Certificate.fingerprint != fingerprint)
    others &= Certificate.revoked_ms.is_null()
    Certificate.update(revoked_ms=at_ms, why_revoked="a new key was confirmed").where(others).execute()
    Presence.delete().where(Presence.terminal == terminal.id).execute()


def _fresh(office: Office, terminal: Terminal, asked: Asked, at_ms: int, act: str) -> x509.Certificate:
    authority = ca.issuing(office.home)
    subject = subject_of(terminal.tenant_id, terminal.terminal_id, terminal.serial)
    now = datetime.fromtimestamp(at_ms / 1000, UTC)
    made = ca.certificate_for(authority, subject, asked.key, now, office.life_days)
    begins_ms, ends_ms = (_ms(moment) for moment in (made.not_valid_before_utc, made.not_valid_after_utc))
    serial = serial_hex(made.serial_number)
    Certificate.create(
        serial=serial,
        terminal=terminal,
        fingerprint=asked.fingerprint,
        issuer=authority.name,
        not_before_ms=begins_ms,
        not_after_ms=ends_ms,
        renew_ms=renewal_ms(begins_ms, ends_ms, serial),
        pem=made.public_bytes(serialization.Encoding.PEM).decode(),
    )
    touch(Terminal.id == terminal.id, at_ms)
    facts = {"certificate": serial, "fingerprint": asked.fingerprint, "issuer": authority.name}
    who = Actor(terminal.tenant_id, f"terminal:{terminal.terminal_id}")
    audit.record(who, at_ms, act, terminal.terminal_id, "", facts)
    return made


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
