"""How a terminal becomes known: serial number, key fingerprint, QR, claim. docs/fleet.md, "Enrolment".

The fingerprint of a key is the SHA-256 of its SubjectPublicKeyInfo (DER), 64 hex digits. Who reads it aloud compares
the first ``SHORT_DIGITS`` of them: 80 bits, more than anybody makes a second key for while an installer waits.
"""

import hashlib
import re
from typing import Annotated
from urllib.parse import parse_qs, quote, urlsplit

import msgspec

from provisioning.rules.network import Network
from provisioning.rules.poll import TENANT, TERMINAL_ID

SERIAL = r"^[A-Za-z0-9][A-Za-z0-9._-]{3,63}$"
FINGERPRINT = r"^[0-9a-f]{64}$"
CLAIM_ID = r"^[0-9a-f]{32}$"
PROFILES = ("hall", "hospital", "village")
SHORT_DIGITS = 20
CLAIM_KIND, CLAIM_VERSION = "enrolment_claim", 1
CLAIM_SIGNERS = 2  # ADR 36: a stick is paper that whoever finds it can use
QR_PATH = "/console/enrolment"
QR_BARE = "yikatong:enrol"  # where the terminal does not know the console's address
RENEW_AT = 2 / 3  # of a certificate's life
RENEW_SPREAD = 1 / 20


class Claim(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What a stick's claim says beside the four fields of every signed document. Unknown fields are passed over.

    ``fleet_url`` and ``fleet_ca`` (PEM) replace those of the image where they are given.
    """

    claim: Annotated[str, msgspec.Meta(pattern=CLAIM_ID)]
    serial: Annotated[str, msgspec.Meta(pattern=SERIAL)]
    tenant: Annotated[str, msgspec.Meta(pattern=TENANT)]
    terminal_id: Annotated[str, msgspec.Meta(pattern=TERMINAL_ID)]
    place: Annotated[int, msgspec.Meta(ge=1)]
    profile: str = "hall"
    network: Network | None = None
    fleet_url: Annotated[str, msgspec.Meta(max_length=200)] = ""
    fleet_ca: Annotated[str, msgspec.Meta(max_length=20_000)] = ""


class Welcome(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a terminal is told once it has a certificate, and again at each renewal. ``keys``: name -> Ed25519 public
    key (hex) of its city, which sign settings and commands; ``approvers``: of people, who sign sticks and epochs;
    ``trust``: number of the list (``rules/trust.py``) that says so, 0 for none."""

    tenant: str
    terminal_id: str
    serial: str
    profile: str = "hall"
    keys: dict[str, str] = {}
    approvers: dict[str, str] = {}
    trust: int = 0
    network: Network | None = None


def fingerprint_of(spki_der: bytes) -> str:
    return hashlib.sha256(spki_der).hexdigest()


def short_fingerprint(fingerprint: str) -> str:
    """As it stands on the glass and in the console: groups of four."""
    digits = fingerprint[:SHORT_DIGITS]
    return " ".join(digits[start : start + 4] for start in range(0, SHORT_DIGITS, 4))


def qr_content(serial: str, fingerprint: str, console_url: str = "") -> str:
    """A phone's camera opens the console's page by it."""
    begins = f"{console_url.rstrip('/')}{QR_PATH}" if console_url else QR_BARE
    return f"{begins}?serial={quote(serial, safe='')}&fingerprint={fingerprint}"


def read_qr(content: str) -> tuple[str, str]:
    """Serial number and fingerprint.

    Raises:
        ValueError: not one of our codes.
    """
    asked = parse_qs(urlsplit(content).query)
    serial, fingerprint = (asked.get(name, [""])[0] for name in ("serial", "fingerprint"))
    if not re.match(SERIAL, serial) or not re.match(FINGERPRINT, fingerprint):
        raise ValueError("not the code of a terminal")
    return serial, fingerprint


def is_serial(told: str) -> bool:
    return re.match(SERIAL, told) is not None


def renewal_ms(begins_ms: int, ends_ms: int, by: str) -> int:
    """When a certificate is to be renewed: at two thirds of its life, and up to a twentieth of it earlier, by its own
    number, so that terminals enrolled in one morning do not all come back in one."""
    life_ms = ends_ms - begins_ms
    spread = int.from_bytes(hashlib.sha256(by.encode()).digest()[:4]) / 2**32
    return begins_ms + round(life_ms * (RENEW_AT - spread * RENEW_SPREAD))
