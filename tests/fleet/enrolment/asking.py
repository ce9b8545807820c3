"""A bare terminal for tests of the fleet: its key, its requests, and what nginx would say of its connection."""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from provisioning.fleet.app import make_app
from provisioning.fleet.enrolment.csr import key_fingerprint
from provisioning.fleet.identity import serial_hex
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.web import Fleet
from tests.fleet.client import Answer, Client

NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)
AT = int(NOW.timestamp() * 1000)
DAY_MS = 24 * 3600 * 1000
EST = "/.well-known/est"
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER


def name_of(serial: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, serial)])


@dataclass
class Bare:
    """A terminal that nobody knows. ``certificate``: what it was given last."""

    serial: str = "SN-0000001"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    certificate: x509.Certificate | None = None

    @property
    def fingerprint(self) -> str:
        return key_fingerprint(self.key.public_key())

    def request(self, subject: x509.Name | None = None) -> bytes:
        """As EST wants it, base64. ``subject``: by default the serial number, or that of the certificate it has."""
        if subject is None:
            subject = self.certificate.subject if self.certificate else name_of(self.serial)
        made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(self.key, hashes.SHA256())
        return base64.encodebytes(made.public_bytes(DER))

    def shown(self) -> dict[str, str]:
        """nginx's headers for a connection with a certificate that the key signed itself."""
        builder = x509.CertificateBuilder().subject_name(name_of(self.serial)).issuer_name(name_of(self.serial))
        builder = builder.public_key(self.key.public_key()).serial_number(7)
        builder = builder.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=9000))
        pem = builder.sign(self.key, hashes.SHA256()).public_bytes(PEM)
        told = {"X-Client-Verify": "FAILED:self-signed certificate", "X-Client-Serial": "07"}
        return {"X-Face": "terminals", "X-Client-Cert": quote(pem.decode()), "X-Real-IP": "10.1.2.3", **told}


def given(answer: Answer) -> x509.Certificate:
    assert answer.status == 200, answer.text
    return pkcs7.load_der_pkcs7_certificates(base64.b64decode(answer.body))[0]


class Desk:
    """A fleet in memory whose clock stands where a test puts it."""

    def __init__(self, home: Path) -> None:
        self.at_ms = AT
        settings = FleetSettings(home=str(home), public=str(home / "public"))
        self.fleet = Fleet(settings, now_ms=lambda: self.at_ms)
        self.home = home
        self.app = make_app(self.fleet)
        self.client = Client(self.app)

    def live_refresh(self) -> None:
        """The register of polls reads what changed, and what was heard is written: as happens by itself."""
        self.app.state.live.flush()
        self.app.state.live.refresh(self.at_ms)

    def ask(self, path: str, bare: Bare, body: bytes | None = None, shown: Bare | None = None) -> Answer:
        told = bare.request() if body is None else body
        return self.client.post(path, (shown or bare).shown(), body=told)

    def enrol(self, bare: Bare, **how: Bare | bytes) -> Answer:
        answer = self.ask(f"{EST}/simpleenroll", bare, **how)  # type: ignore[arg-type]  # one of the two each
        if answer.status == 200:
            bare.certificate = given(answer)
        return answer

    def renew(self, bare: Bare, **how: Bare | bytes) -> Answer:
        answer = self.ask(f"{EST}/simplereenroll", bare, **how)  # type: ignore[arg-type]  # one of the two each
        if answer.status == 200:
            bare.certificate = given(answer)
        return answer

    def known_as(self, bare: Bare) -> dict[str, str]:
        """nginx's headers for the certificate that it was given."""
        assert bare.certificate is not None
        serial = serial_hex(bare.certificate.serial_number)
        return {"X-Face": "terminals", "X-Client-Verify": "SUCCESS", "X-Client-Serial": serial}
