"""Who this terminal is: its key, the certificate that it signed itself, and the one that the fleet gave it.

``folder`` holds ``key.pem`` (unless the key is in a token), ``bare.pem``, ``certificate.pem`` and ``boot``. Each is
written whole or not at all, and each step can be done again: whenever the power is cut, the terminal is as it was
before or as it is after.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from provisioning.rules.enrolment import fingerprint_of
from provisioning.rules.presence import Life
from provisioning.terminal.disk import Disk
from provisioning.token_key import Token, make_key

KEY, BARE, CERTIFICATE, BOOT = "key.pem", "bare.pem", "certificate.pem", "boot"
# The certificate that the key signs itself says nothing and never ends: it only shows the key to the connection.
BEGINS, ENDS = datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER


class NotOurs(Exception):
    """A certificate that is not for this key or this terminal; the message says why."""


@dataclass(frozen=True)
class Known:
    """Who the certificate says that this terminal is."""

    tenant: str
    terminal_id: str
    begins: datetime
    ends: datetime


class Identity:
    """``token`` None: the key is a file. Methods block: for a thread."""

    def __init__(self, folder: Path, disk: Disk, serial: str, token: Token | None = None) -> None:
        self.folder, self.serial, self.token = folder, serial, token
        self._disk = disk
        self.bare, self.certificate, self.key_file = folder / BARE, folder / CERTIFICATE, folder / KEY

    def make_ready(self) -> None:
        """Make the key and what shows it, where they are missing. Raises OSError, TokenError."""
        self._disk.folder(self.folder)
        key = self._key(make=True)
        shown = _read(self.bare)
        if shown is None or shown.public_key() != key.public_key() or _common_name(shown) != self.serial:
            self._disk.write(self.bare, self._signed_by_itself(key).public_bytes(PEM))

    @property
    def fingerprint(self) -> str:
        """Of the public key. Raises OSError: not made ready."""
        key = x509.load_pem_x509_certificate(self.bare.read_bytes()).public_key()
        return fingerprint_of(key.public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo))

    def known(self) -> Known | None:
        """None: the fleet has given no certificate yet, or what lies there is not ours."""
        certificate = _read(self.certificate)
        try:
            return None if certificate is None else self._checked(certificate)
        except NotOurs:
            return None

    def request(self) -> bytes:
        """PKCS#10 in base64, as EST takes it: for the serial number, or to renew the certificate that there is."""
        certificate = _read(self.certificate)
        subject = certificate.subject if certificate else _named(self.serial)
        request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(self._key(), hashes.SHA256())
        return base64.encodebytes(request.public_bytes(DER))

    def keep(self, certificate: x509.Certificate) -> Known:
        """Put it in force. Raises NotOurs."""
        known = self._checked(certificate)
        self._disk.write(self.certificate, certificate.public_bytes(PEM))
        return known

    def forget(self) -> None:
        """Become bare again, with a new key: after a refusal for good, or a wipe. The certificate goes first: a key
        without one asks again, a certificate without its key is nobody."""
        for path in (self.certificate, self.bare, self.key_file):
            self._disk.remove(path)

    def begin_life(self) -> Life:
        """Count this start of the agent on the disk, and draw its number: ``rules/presence.py``."""
        path = self.folder / BOOT
        told = path.read_text() if path.exists() else "0"
        boot = int(told) + 1 if told.isdecimal() else 1
        self._disk.folder(self.folder)
        self._disk.write(path, str(boot).encode())
        return Life(boot, secrets.token_hex(16))

    def _checked(self, certificate: x509.Certificate) -> Known:
        if certificate.public_key() != x509.load_pem_x509_certificate(self.bare.read_bytes()).public_key():
            raise NotOurs("a certificate for another key")
        told = {kind: _one(certificate, kind) for kind in _SUBJECT}
        if told[NameOID.SERIAL_NUMBER] != self.serial:
            raise NotOurs("a certificate for another serial number")
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        return Known(told[NameOID.ORGANIZATION_NAME], told[NameOID.COMMON_NAME], begins, ends)

    def _key(self, make: bool = False) -> ec.EllipticCurvePrivateKey:
        if self.token is not None:
            return make_key(self.token)
        if make and not self.key_file.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            pkcs8, bare = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            self._disk.write(self.key_file, key.private_bytes(PEM, pkcs8, bare), 0o600)
        kept = serialization.load_pem_private_key(self.key_file.read_bytes(), None)
        assert isinstance(kept, ec.EllipticCurvePrivateKey), "we make keys on P-256"
        return kept

    def _signed_by_itself(self, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        name = _named(self.serial)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(BEGINS).not_valid_after(ENDS)
        return builder.sign(key, hashes.SHA256())


_SUBJECT = (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME, NameOID.SERIAL_NUMBER)


def _named(serial: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, serial)])


def _common_name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _one(certificate: x509.Certificate, kind: x509.ObjectIdentifier) -> str:
    found = certificate.subject.get_attributes_for_oid(kind)
    if len(found) != 1:
        raise NotOurs("a certificate without city, number or serial number")
    return str(found[0].value)


def _read(path: Path) -> x509.Certificate | None:
    """None: there is none, or half of one that an older program wrote."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
