"""The authorities that give terminals their certificates: several at once, so that one can follow another.

A folder each under ``home``/ca: ``certificate.pem`` with ``key.pem`` (0600) or ``token.json`` (PKCS#11), and the mark
``retired`` once it gives no more. The oldest that is not retired gives certificates; all are trusted until dropped:
``trusted.pem`` is what nginx verifies by. RFC 5280 profiles, P-256 and SHA-256.
"""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provisioning.fleet.actor import Refused
from provisioning.token_key import Token, find_key, make_key

FOLDER, TRUSTED = "ca", "trusted.pem"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
SUBJECT = "Yikatong fleet "  # begins the common name of each, its own name ends it
AUTHORITY_DAYS = 3650
BACKDATED = timedelta(hours=1)  # a terminal whose clock is a little behind must not refuse its own certificate
PublicKey = ec.EllipticCurvePublicKey


@dataclass(frozen=True)
class Authority:
    """``folder`` has its files; ``retired``: it gives no more certificates."""

    name: str
    folder: Path
    certificate: x509.Certificate
    retired: bool

    def key(self) -> ec.EllipticCurvePrivateKey:
        """Raises OSError, ValueError, TokenError: it cannot be used now."""
        described = self.folder / "token.json"
        if described.exists():
            found = find_key(msgspec.json.decode(described.read_bytes(), type=Token))
            if found is None:
                raise ValueError(f"{self.name}: its token holds no key")
            return found
        key = serialization.load_pem_private_key((self.folder / "key.pem").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey), "an authority's key is on P-256"
        return key


def authorities(home: Path) -> list[Authority]:
    """Oldest first."""
    found = [_read(folder) for folder in (home / FOLDER).glob("[a-z0-9]*") if folder.is_dir()]
    return sorted(found, key=lambda one: (one.certificate.not_valid_before_utc, one.name))


def issuing(home: Path) -> Authority:
    """Who gives certificates now; a first one is made where there is none.

    Raises:
        Refused: all are retired.
    """
    known = authorities(home)
    if not known:
        known = [add(home, "fleet-1", datetime.now(UTC))]
    good = [one for one in known if not one.retired]
    if not good:
        raise Refused("no_authority", "Every authority is retired. Add one with: ca add.")
    return good[0]


def add(home: Path, name: str, now: datetime, token: Token | None = None, days: int = AUTHORITY_DAYS) -> Authority:
    """Make one. It is trusted from now on, and gives certificates once those before it are retired.

    Raises:
        Refused: no name for one, or there is such a one.
        OSError, TokenError: it cannot be kept.
    """
    if not NAME.fullmatch(name):
        raise Refused("malformed", "A name has small letters, digits and dashes.")
    folder = home / FOLDER / name
    if folder.exists():
        raise Refused("name_taken", f"There is an authority {name} already.")
    (home / FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = home / FOLDER / f".{name}.{os.getpid()}"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(mode=0o700)
    key = _keep_key(beside, token)
    _write(beside / "certificate.pem", _self_signed(name, key, now, days).public_bytes(serialization.Encoding.PEM))
    try:
        beside.rename(folder)
    except OSError:  # another process made it meanwhile: that one counts
        shutil.rmtree(beside, ignore_errors=True)
    _tell_nginx(home)
    return _read(folder)


def retire(home: Path, name: str) -> None:
    """It gives no more certificates; those that it gave go on. Raises Refused: unknown, or the last one."""
    others = [one for one in authorities(home) if one.name != name and not one.retired]
    if not others:
        raise Refused("no_authority", "This is the last one that gives certificates. Add another first.")
    _write(_known(home, name).folder / "retired", b"")


def drop(home: Path, name: str) -> None:
    """Nobody is believed by its certificates any more, once nginx has read its file again. Raises Refused: unknown, or
    it still gives certificates."""
    dropped = _known(home, name)
    if not dropped.retired:
        raise Refused("not_retired", f"{name} still gives certificates. Retire it first.")
    gone = home / FOLDER / f".{name}.dropped"
    shutil.rmtree(gone, ignore_errors=True)
    dropped.folder.rename(gone)
    _tell_nginx(home)


def trusted(home: Path) -> Path:
    """The file with every authority, for nginx and for terminals (RFC 7030, cacerts)."""
    path = home / FOLDER / TRUSTED
    if not path.exists():
        issuing(home)
    return path


def certificate_for(
    authority: Authority, subject: x509.Name, key: PublicKey, now: datetime, days: float
) -> x509.Certificate:
    """A terminal's. Raises as ``Authority.key``."""
    builder = _builder(subject, authority.certificate.subject, key, now - BACKDATED, now + timedelta(days=days))
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(authority=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(_public(authority.certificate))
    return builder.add_extension(issuer, critical=False).sign(authority.key(), hashes.SHA256())


def name_of(given: x509.Certificate) -> str:
    """Of the authority that a certificate says it comes from, whether or not it is still here; "" for none of ours."""
    told = given.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    name = str(told[0].value) if len(told) == 1 else ""
    return name.removeprefix(SUBJECT) if name.startswith(SUBJECT) and NAME.fullmatch(name.removeprefix(SUBJECT)) else ""


def _self_signed(name: str, key: ec.EllipticCurvePrivateKey, now: datetime, days: int) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{SUBJECT}{name}")])
    builder = _builder(subject, subject, key.public_key(), now - BACKDATED, now + timedelta(days=days))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.add_extension(_usage(authority=True), critical=True).sign(key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PublicKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _keep_key(folder: Path, token: Token | None) -> ec.EllipticCurvePrivateKey:
    if token is not None:
        _write(folder / "token.json", msgspec.json.encode(token))
        return make_key(token)
    key = ec.generate_private_key(ec.SECP256R1())
    pkcs8, bare = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    _write(folder / "key.pem", key.private_bytes(serialization.Encoding.PEM, pkcs8, bare))
    return key


def _known(home: Path, name: str) -> Authority:
    for one in authorities(home):
        if one.name == name:
            return one
    raise Refused("unknown", f"There is no authority {name}.")


def _read(folder: Path) -> Authority:
    certificate = x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes())
    return Authority(folder.name, folder, certificate, (folder / "retired").exists())


def _public(certificate: x509.Certificate) -> PublicKey:
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey), "an authority's key is on P-256"
    return key


def _tell_nginx(home: Path) -> None:
    beside = home / FOLDER / f".{TRUSTED}.{os.getpid()}"
    _write(beside, b"".join(_pems(home)))
    beside.rename(home / FOLDER / TRUSTED)


def _pems(home: Path) -> Iterator[bytes]:
    for one in authorities(home):
        yield one.certificate.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
