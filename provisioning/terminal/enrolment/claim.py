"""Reads the claim for this terminal off a stick, and judges what can be judged without a line.

``yikatong/claims/SERIAL.json`` on the stick; one stick serves a whole delivery. What is on it is data: only the file of
our own serial number is opened, plain, and no further than a claim may be long.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.basics.signed import NotTrusted, read_cosigned
from provisioning.rules.enrolment import CLAIM_KIND, CLAIM_SIGNERS, CLAIM_VERSION, Claim
from provisioning.rules.network import NetworkUnfit, check

FOLDER = Path("yikatong") / "claims"
CLAIM_BYTES_MAX = 64 * 1024


class ClaimRefused(Exception):
    """``code`` is for records and the fleet, the message for whoever stands in front."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


@dataclass(frozen=True)
class Brought:
    """A claim that holds as far as this terminal can tell, and the bytes that the fleet judges again."""

    claim: Claim
    wire: bytes


def read_stick(stick: Path, serial: str) -> bytes | None:
    """The bytes of our claim; None: the stick has none for us. Raises ClaimRefused: not a plain file, or too long."""
    try:
        # Not blocking: a pipe that somebody made there would hold the open for ever.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(stick / FOLDER / f"{serial}.json", flags)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ClaimRefused("not_a_file", "What is on the stick cannot be read.") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ClaimRefused("not_a_file", "What is on the stick is not a plain file.")
        wire = file.read(CLAIM_BYTES_MAX + 1)
    if len(wire) > CLAIM_BYTES_MAX:
        raise ClaimRefused("too_long", "What is on the stick is too long for a claim.")
    return wire


def judge(wire: bytes, serial: str, keys: Mapping[str, Ed25519PublicKey], not_before: datetime) -> Brought:
    """``keys``: of the image. ``not_before``: it is surely this late; dates that need a clock are the fleet's to judge.

    Raises:
        ClaimRefused: not signed by two of them, malformed, too old, for another terminal, or a network that cannot be.
    """
    try:
        trusted, _ = read_cosigned(wire, CLAIM_KIND, keys, CLAIM_SIGNERS, CLAIM_VERSION)
        claim = msgspec.convert(trusted.content, Claim)
        if claim.network is not None:
            check(claim.network)
    except NotTrusted as error:
        raise ClaimRefused("not_trusted", str(error)) from None
    except (msgspec.ValidationError, NetworkUnfit) as error:
        raise ClaimRefused("malformed", str(error)[:200]) from None
    if trusted.expires_at <= not_before:
        raise ClaimRefused("claim_expired", "This claim is too old. Ask for a new stick.")
    if claim.serial != serial:
        raise ClaimRefused("foreign_serial", "This claim is for another serial number.")
    if bool(claim.fleet_url) != bool(claim.fleet_ca) or claim.fleet_url[:8] not in ("", "https://"):
        raise ClaimRefused("malformed", "A claim names a fleet's address together with its authority.")
    return Brought(claim, wire)


def read_kept(wire: bytes) -> Brought:
    """One that was judged when it was taken: its date, and the keys of the image, may have passed since."""
    return Brought(msgspec.convert(msgspec.json.decode(wire)["document"], Claim), wire)
