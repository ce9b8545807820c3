"""Certification requests as EST brings them: base64 PKCS#10 in, base64 PKCS#7 out (RFC 7030, 4.2; RFC 8951)."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from provisioning.fleet.actor import Refused
from provisioning.rules.enrolment import fingerprint_of

REQUEST_BYTES_MAX = 16 * 1024
CURVES = (ec.SECP256R1, ec.SECP384R1)


@dataclass(frozen=True)
class Asked:
    """``subject``: as the request has it; ``fingerprint``: of its key, which signed it."""

    subject: x509.Name
    key: ec.EllipticCurvePublicKey
    fingerprint: str


def read_request(body: bytes) -> Asked:
    """Raises Refused: ``malformed``, ``bad_signature`` or ``weak_key``."""
    if len(body) > REQUEST_BYTES_MAX:
        raise Refused("malformed", "A certification request of this size is not read.")
    try:
        request = x509.load_der_x509_csr(base64.b64decode(b"".join(body.split()), validate=True))
        key, holds = request.public_key(), request.is_signature_valid
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        raise Refused("malformed", "This is no certification request in base64 (PKCS#10).") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, CURVES):
        raise Refused("weak_key", "Keys are on the curves P-256 or P-384.")
    if not holds:
        raise Refused("bad_signature", "The request is not signed by its own key.")
    return Asked(request.subject, key, key_fingerprint(key))


def shown_certificate(header: str) -> x509.Certificate | None:
    """What nginx passes on as ``X-Client-Cert``: URL-encoded PEM. None: nothing was shown, or nothing that can be read.
    TLS has proven that the caller holds its key; nothing else about it is proven here."""
    try:
        return x509.load_pem_x509_certificate(unquote(header).encode()) if header else None
    except ValueError:
        return None


def shown_fingerprint(certificate: x509.Certificate) -> str:
    """Of its key. Raises Refused: a key of a kind that nobody here has."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise Refused("weak_key", "Keys are on the curves P-256 or P-384.") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Refused("weak_key", "Keys are on the curves P-256 or P-384.")
    return key_fingerprint(key)


def key_fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return fingerprint_of(der)


def serial_of(subject: x509.Name) -> str:
    """The maker's serial number: the request's common name. Raises Refused: it has none, or more than one."""
    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(names) != 1:
        raise Refused("wrong_subject", "A request names the serial number as its one common name.")
    return str(names[0].value)


def subject_of(tenant: str, terminal_id: str, serial: str) -> x509.Name:
    """Of the certificate: city, terminal number, serial number."""
    told = ((NameOID.ORGANIZATION_NAME, tenant), (NameOID.COMMON_NAME, terminal_id), (NameOID.SERIAL_NUMBER, serial))
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in told])


def certs_only(certificates: Sequence[x509.Certificate]) -> bytes:
    """PKCS#7 in base64, lines of 76 as RFC 8951 wants them."""
    return base64.encodebytes(pkcs7.serialize_certificates(list(certificates), serialization.Encoding.DER))
