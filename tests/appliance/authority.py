"""Who signs images in tests: an authority, one signer of its, and one of somebody else's. TEST names throughout."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

VALID_DAYS = 30


@dataclass(frozen=True)
class Signer:
    """Paths of PEM files."""

    authority: Path
    certificate: Path
    key: Path


def make_signer(folder: Path) -> Signer:
    """An authority and a signer under it."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("authority", "signer")}
    issuer = _name("TEST authority of images")
    made = {
        "authority": _certificate(issuer, issuer, keys["authority"], keys["authority"], ca=True),
        "signer": _certificate(_name("TEST signer of images"), issuer, keys["signer"], keys["authority"], ca=False),
    }
    for name, certificate in made.items():
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = keys["signer"].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "signer.key").write_bytes(private)
    return Signer(folder / "authority.pem", folder / "signer.pem", folder / "signer.key")


def plain_bundle(signer: Signer, content: Path, out: Path) -> Path:
    """A bundle of ``content`` (a folder with its manifest) as RAUC makes it."""
    words = [f"--cert={signer.certificate}", f"--key={signer.key}", f"--keyring={signer.authority}"]
    subprocess.run(["rauc", "bundle", *words, str(content), str(out)], check=True, capture_output=True, timeout=120)
    return out


def _name(words: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, ca: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    uses = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
         "decipher_only"), False,
    )  # fmt: skip
    usage = x509.KeyUsage(digital_signature=not ca, key_cert_sign=ca, crl_sign=ca, **uses)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=VALID_DAYS))
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    builder = builder.add_extension(usage, critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    by_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key())
    return builder.add_extension(by_key, critical=False).sign(by, hashes.SHA256())
