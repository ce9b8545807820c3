"""How a fleet that came back from a backup is believed again, and learns what it forgot. docs/fleet.md, "Restore".

An **epoch** (kind ``fleet_epoch``, version = its number) says that versions begin anew. Terminals take it only with the
signatures of two approvers, because whoever could begin one alone could bring yesterday's settings back.

A **memo** (kind ``fleet_memo``, signed by the city's key) is carried by every terminal: what must not be forgotten, as
of some moment. A restored fleet asks terminals for a newer memo than its own and does again what stands in it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.basics.signed import NotTrusted, Trusted, read_cosigned, read_signed

EPOCH_KIND, MEMO_KIND = "fleet_epoch", "fleet_memo"
SIGNERS_MIN = 2
LISTED_MAX = 20_000  # of each list in a memo: what happened in its last days
Name = Annotated[str, msgspec.Meta(max_length=64)]


class Memo(msgspec.Struct, frozen=True, kw_only=True):
    """``audit_seq`` and ``audit_link``: end of the city's audit chain. ``stopped``: terminals that may not come back by
    themselves (revoked, lost, retired). ``revoked``: serial numbers of certificates. ``claims``: sticks that were used.
    ``trust``: number of the newest trust list (rules/trust.py): a restored fleet that has an older one signs by a key
    that terminals may believe no more, until it is given that list's file again.
    """

    tenant: Name
    audit_seq: int
    audit_link: Name
    desired_version: int
    stopped: Annotated[list[Name], msgspec.Meta(max_length=LISTED_MAX)] = []
    revoked: Annotated[list[Name], msgspec.Meta(max_length=LISTED_MAX)] = []
    claims: Annotated[list[Name], msgspec.Meta(max_length=LISTED_MAX)] = []
    trust: int = 0


def read_epoch(
    wire: bytes, approvers: Mapping[str, Ed25519PublicKey], tenant: str, newer_than: int, now: datetime | None
) -> tuple[int, tuple[str, ...]]:
    """Its number, and who signed it. ``now`` None: it was judged before; that it expired since takes nothing back.

    Raises:
        NotTrusted: fewer than two approvers, another city's, not newer than the one in force, or out of date.
    """
    trusted, signers = read_cosigned(wire, EPOCH_KIND, approvers, SIGNERS_MIN, newer_than + 1)
    if trusted.content.get("tenant") != tenant:
        raise NotTrusted(f"{EPOCH_KIND}: of another city")
    if now is not None and now > trusted.expires_at:
        raise NotTrusted(f"{EPOCH_KIND}: expired")
    return trusted.version, signers


def read_memo(
    wire: bytes, keys: Mapping[str, Ed25519PublicKey], tenant: str, version_min: int = 0
) -> tuple[Memo, Trusted]:
    """It never expires: the older the backup, the more it is needed.

    Raises:
        NotTrusted: not this city's, older than ``version_min``, or not whole.
    """
    trusted = read_signed(wire, MEMO_KIND, keys, version_min)
    try:
        memo = msgspec.convert(dict(trusted.content), Memo)
    except msgspec.ValidationError:
        raise NotTrusted(f"{MEMO_KIND}: not whole") from None
    if memo.tenant != tenant:
        raise NotTrusted(f"{MEMO_KIND}: of another city")
    return memo, trusted
