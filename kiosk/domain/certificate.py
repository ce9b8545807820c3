"""Certificates that the agency's back end composes and seals; the kiosk checks and prints, never composes."""

from dataclasses import dataclass
from datetime import date
from enum import Enum


class CertificateKind(Enum):
    INSURANCE = "insurance_certificate"  # 参保证明
    RIGHTS_RECORD = "rights_record"  # 权益记录单
    BENEFIT = "benefit_certificate"  # 待遇领取证明


@dataclass(frozen=True)
class SealedDocument:
    """A sealed PDF as the agency sent it, with what it says about itself. Lives in memory only."""

    kind: CertificateKind
    number: str
    issued_on: date
    valid_until: date | None
    verify_at: str  # address printed and encoded in the QR
    pdf: bytes
    sha256: str


@dataclass(frozen=True)
class SealExpectation:
    """What must stand inside the sealed document, else it is not printed (pins-and-keys 14)."""

    holder_number: str
    kind: CertificateKind
    certificate_number: str
    issued_on: date


class SealFinding(Enum):
    GENUINE = "genuine"
    ALTERED = "altered"  # the seal does not cover the bytes, or they changed
    UNTRUSTED = "untrusted"  # the signer is not the agency's
    REVOKED_OR_EXPIRED = "revoked_or_expired"
    OTHER_CONTENT = "other_content"  # holder, kind, number or date differ from the request
    UNREADABLE = "unreadable"
