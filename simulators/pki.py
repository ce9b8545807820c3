"""The demo PKI: authorities (hosts, agency seal, fleet, staff) and the certificates a laptop run needs. TEST keys.

Everything is made anew together when anything is missing or has less than a week left: a demo has no inventory of
certificates to keep, and a half-renewed set is a puzzle that nobody should have to solve.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS_VALID = 90
DAYS_LEFT_MIN = 7
ORGANISATION = "TEST 示例市社会保险经办机构"
AUTHORITIES = ("hosts-ca", "seal-ca", "fleet-ca", "stranger-ca", "staff-ca")
NAMES = (*AUTHORITIES, "host", "terminal", "fleet", "seal", "seal-expired", "seal-revoked", "stranger-seal")
# The agency's bare keys: journals are wrapped to "recovery" (RSA), "documents" (Ed25519) signs policies and lists.
BARE_KEYS = ("recovery", "documents")
RECOVERY_BITS = 2048
QEMU_HOST = "10.0.2.2"  # this machine's loopback, as a guest in qemu's user network calls it
COMPLETE = "complete"  # written last: a set-up that was cut off starts again


@dataclass(frozen=True)
class Pki:
    """Where the files of a demo PKI are. ``anchors`` is what a terminal trusts for seals: CA and revocation list."""

    directory: Path

    def certificate(self, name: str) -> Path:
        return self.directory / f"{name}.pem"

    def key(self, name: str) -> Path:
        return self.directory / f"{name}.key"

    @property
    def hosts_ca(self) -> Path:
        return self.certificate("hosts-ca")

    @property
    def host_certificate(self) -> Path:
        return self.certificate("host")

    @property
    def host_key(self) -> Path:
        return self.key("host")

    @property
    def terminal_certificate(self) -> Path:
        return self.certificate("terminal")

    @property
    def terminal_key(self) -> Path:
        return self.key("terminal")

    @property
    def staff_ca(self) -> Path:
        return self.certificate("staff-ca")

    @property
    def anchors(self) -> Path:
        return self.directory / "anchors"

    def public(self, name: str) -> Path:
        """The public half of one of ``BARE_KEYS``, PEM."""
        return self.directory / f"{name}.public.pem"


@dataclass(frozen=True)
class _Identity:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class _Wish:
    """What a certificate is to be. ``begins`` and ``ends`` are days from now."""

    name: str
    begins: int = -1
    ends: int = DAYS_VALID
    server: bool = False
    client: bool = False


def make_pki(directory: Path, now: datetime | None = None) -> Pki:
    """Return the PKI in ``directory``, made or renewed if need be. Idempotent; takes well under a second."""
    moment = now or datetime.now(UTC)
    pki = Pki(directory)
    if not _still_good(pki, moment):
        _make_all(pki, moment)
    return pki


def _still_good(pki: Pki, now: datetime) -> bool:
    files = [pki.directory / COMPLETE, pki.anchors / "seal-ca.pem", pki.anchors / "seal.crl"]
    files += [path for name in NAMES for path in (pki.certificate(name), pki.key(name))]
    files += [path for name in BARE_KEYS for path in (pki.public(name), pki.key(name))]
    if not all(path.exists() for path in files):
        return False
    lasting = (pki.certificate(name).read_bytes() for name in NAMES if name != "seal-expired")
    ends = min(x509.load_pem_x509_certificate(pem).not_valid_after_utc for pem in lasting)
    return ends - now > timedelta(days=DAYS_LEFT_MIN)


def _make_all(pki: Pki, now: datetime) -> None:
    pki.anchors.mkdir(parents=True, exist_ok=True, mode=0o700)
    (pki.directory / COMPLETE).unlink(missing_ok=True)
    hosts, seals, fleet, stranger, _staff = (_authority(pki, name, now) for name in AUTHORITIES)
    _issue(pki, hosts, _Wish("host", server=True), now)
    _issue(pki, hosts, _Wish("terminal", client=True), now)
    _issue(pki, fleet, _Wish("fleet", server=True), now)
    _issue(pki, seals, _Wish("seal"), now)
    _issue(pki, seals, _Wish("seal-expired", begins=-60, ends=-30), now)
    revoked = _issue(pki, seals, _Wish("seal-revoked"), now)
    _issue(pki, stranger, _Wish("stranger-seal"), now)
    _write(pki.anchors / "seal-ca.pem", pki.certificate("seal-ca").read_bytes(), secret=False)
    _write(pki.anchors / "seal.crl", _revocation_list(seals, [revoked], now), secret=False)
    _keep_bare(pki, "recovery", rsa.generate_private_key(public_exponent=65537, key_size=RECOVERY_BITS))
    _keep_bare(pki, "documents", ed25519.Ed25519PrivateKey.generate())
    _write(pki.directory / COMPLETE, b"", secret=False)


def staff_credentials(
    pki: Pki,
    handle: str,
    staff_id: str,
    role: str,
    *,
    issuer: str = "staff-ca",
    expired: bool = False,
    now: datetime | None = None,
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Certificate and key of one staff card, issued anew at every call. Names nobody: an id and a role.

    The id is the subject's serialNumber (2.5.4.5), the role its title (2.5.4.12). INVENTED, as the card itself is.
    """
    now = now or datetime.now(UTC)
    authority = x509.load_pem_x509_certificate(pki.certificate(issuer).read_bytes())
    secret = serialization.load_pem_private_key(pki.key(issuer).read_bytes(), None)
    assert isinstance(secret, ec.EllipticCurvePrivateKey)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.TITLE, role),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, staff_id),
        ]
    )
    key = ec.generate_private_key(ec.SECP256R1())
    wish = _Wish(handle, begins=-60, ends=-30) if expired else _Wish(handle)
    builder = _builder(subject, key, wish, now).issuer_name(authority.subject)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(authority=False), critical=True)
    return builder.sign(secret, hashes.SHA256()), key


def _authority(pki: Pki, name: str, now: datetime) -> _Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject(name)
    builder = _builder(subject, key, _Wish(name, begins=-90), now)
    builder = builder.issuer_name(subject).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(authority=True), critical=True)
    return _kept(pki, name, _Identity(builder.sign(key, hashes.SHA256()), key))


def _issue(pki: Pki, issuer: _Identity, wish: _Wish, now: datetime) -> _Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_subject(wish.name), key, wish, now).issuer_name(issuer.certificate.subject)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(authority=False), critical=True)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
    )
    if wish.server:
        names: list[x509.GeneralName] = [
            x509.DNSName("localhost"),
            *(x509.IPAddress(ip_address(one)) for one in ("127.0.0.1", QEMU_HOST)),
        ]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    if wish.client:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    return _kept(pki, wish.name, _Identity(builder.sign(issuer.key, hashes.SHA256()), key))


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, wish: _Wish, now: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now + timedelta(days=wish.begins)).not_valid_after(
        now + timedelta(days=wish.ends)
    )
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _subject(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, f"TEST {name}"),
        ]
    )


def _revocation_list(issuer: _Identity, revoked: list[_Identity], now: datetime) -> bytes:
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(now - timedelta(days=1)).next_update(now + timedelta(days=DAYS_VALID))
    builder = builder.add_extension(x509.CRLNumber(1), critical=False).add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
    )
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number)
        builder = builder.add_revoked_certificate(entry.revocation_date(now - timedelta(hours=12)).build())
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _kept(pki: Pki, name: str, identity: _Identity) -> _Identity:
    _write(pki.certificate(name), identity.certificate.public_bytes(serialization.Encoding.PEM), secret=False)
    secret = identity.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(pki.key(name), secret, secret=True)
    return identity


def _keep_bare(pki: Pki, name: str, key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> None:
    pem, spki = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    _write(pki.public(name), key.public_key().public_bytes(pem, spki), secret=False)
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(pki.key(name), secret, secret=True)


def _write(path: Path, content: bytes, *, secret: bool) -> None:
    path.unlink(missing_ok=True)  # a mode is only given to a new file
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if secret else 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
