"""Checks a staff card without any host: its certificate against the agency's anchor, its key by a challenge.

INVENTED (money-rules 30): the subject's serialNumber is the staff id, its title the role. ECDSA on P-256 with SHA-256
in the sandbox. There is no revocation list yet: certificates are to be short-lived.
"""

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509.oid import NameOID

from kiosk.domain.staff import NotStaff, Staff, StaffRole

CHALLENGE_BYTES = 32
SIGNED_PREFIX = b"yikatong staff card 1\x00"
STAFF_ID_CHARS_MAX = 12
_HALF = 32  # bytes of r, and of s


def check_certificate(certificate_der: bytes, anchor: Path, now: datetime) -> Staff:
    """Who the certificate names. ``now`` is the journal's high water where that is later than the clock (rule 5).

    Raises:
        NotStaff: no usable anchor, another issuer, no end entity, no id or role, not yet or no longer valid.
    """
    authority = _anchor(anchor)
    try:
        certificate = x509.load_der_x509_certificate(certificate_der)
        certificate.verify_directly_issued_by(authority)
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        staff_id, role = _subject(certificate)
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound, LookupError) as error:
        raise NotStaff("certificate") from error
    if constraints.ca or not usage.digital_signature:
        raise NotStaff("certificate")
    _check_time(authority, now)
    _check_time(certificate, now)
    return Staff(staff_id, role, certificate.not_valid_after_utc)


def check_signature(certificate_der: bytes, challenge: bytes, signature: bytes) -> None:
    """Whether the card holds the key of its certificate.

    Raises:
        NotStaff: it does not.
    """
    key = x509.load_der_x509_certificate(certificate_der).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or len(signature) != 2 * _HALF:
        raise NotStaff("signature")
    r, s = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
    try:
        key.verify(encode_dss_signature(r, s), SIGNED_PREFIX + challenge, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise NotStaff("signature") from error


def _anchor(path: Path) -> x509.Certificate:
    try:
        anchor = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise NotStaff("no_anchor") from error
    if not anchor.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
        raise NotStaff("no_anchor")
    return anchor


def _check_time(certificate: x509.Certificate, now: datetime) -> None:
    if not certificate.not_valid_before_utc <= now.astimezone(UTC) <= certificate.not_valid_after_utc:
        raise NotStaff("expired")


def _subject(certificate: x509.Certificate) -> tuple[str, StaffRole]:
    """Raises LookupError, ValueError: not exactly one id and one role."""
    (staff_id,) = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    (role,) = certificate.subject.get_attributes_for_oid(NameOID.TITLE)
    words = str(staff_id.value)
    if not (words.isalnum() and words.isascii() and len(words) <= STAFF_ID_CHARS_MAX):
        raise ValueError("staff id")
    return words, StaffRole(str(role.value))
