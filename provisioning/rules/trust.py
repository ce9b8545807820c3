"""Whom the terminals of a city believe, after their enrolment: docs/fleet.md, "Whom terminals believe".

A **trust list** (kind ``fleet_trust``, version = its number) names the city's keys and the people whose signatures open
epochs and further lists. Number n + 1 is judged by the approvers of number n, so that each list vouches for the next
(the idea of TUF's root metadata, specification 5.3) and a key that was stolen from the server changes nothing. Number 0
is what enrolment told. A list never expires: a terminal that was dark for years walks all of them.
"""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.basics.signed import NotTrusted, read_cosigned

TRUST_KIND = "fleet_trust"
SIGNERS_MIN = 2
LISTED_MAX = 64  # of each; a city has a handful
TRUST_BYTES_MAX = 65_536
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Key = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Listed = Annotated[dict[Name, Key], msgspec.Meta(max_length=LISTED_MAX)]


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """``keys``: of the city, which sign settings and commands, name -> Ed25519 public key (hex); ``signs``: the one
    that the fleet uses from now on. ``approvers``: of people, at least two different ones."""

    tenant: Name
    signs: Name
    keys: Listed
    approvers: Listed


def read_trust(
    wire: bytes, approvers: Mapping[str, Ed25519PublicKey], tenant: str, number: int
) -> tuple[Trust, tuple[str, ...]]:
    """List ``number``, and who signed it. ``approvers``: of list ``number - 1``.

    Raises:
        NotTrusted: fewer than two approvers, another city's, another number, or it would leave nobody to believe.
    """
    trusted, signers = read_cosigned(wire, TRUST_KIND, approvers, SIGNERS_MIN, number)
    try:
        trust = msgspec.convert(dict(trusted.content), Trust)
    except msgspec.ValidationError:
        raise NotTrusted(f"{TRUST_KIND}: not whole") from None
    if trust.tenant != tenant:
        raise NotTrusted(f"{TRUST_KIND}: of another city")
    if trusted.version != number:
        raise NotTrusted(f"{TRUST_KIND}: {trusted.version} is not the next after {number - 1}")
    if trust.signs not in trust.keys or len(set(trust.approvers.values())) < SIGNERS_MIN:
        raise NotTrusted(f"{TRUST_KIND}: nobody could be believed any more")
    public_keys(trust.keys)
    public_keys(trust.approvers)
    return trust, signers


def public_keys(told: Mapping[str, str]) -> dict[str, Ed25519PublicKey]:
    """Raises NotTrusted: one is no key."""
    try:
        return {name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)) for name, key in told.items()}
    except ValueError:
        raise NotTrusted("a key that is none") from None
