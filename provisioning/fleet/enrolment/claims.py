"""Claims on sticks: a terminal without a line to people brings what two of them signed with their own keys."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.basics.signed import NotTrusted, read_cosigned
from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.enrolment import requests
from provisioning.fleet.enrolment.places import Seat, check_seat, must_be_allowed
from provisioning.fleet.schema.enrolment import ClaimKey, EnrolmentRequest, UsedClaim
from provisioning.fleet.schema.places import PROVINCE
from provisioning.rules.enrolment import CLAIM_KIND, CLAIM_SIGNERS, CLAIM_VERSION, Claim


def bring(wire: bytes, serial: str, fingerprint: str, address: str, at_ms: int) -> EnrolmentRequest:
    """A terminal with this key brings a claim. The same one brought again by the same key changes nothing.

    Raises:
        Refused: not trusted, expired, used by another key, for another serial number, of another city's people, or its
            seat is taken.
    """
    with step():
        claim, signers = _read(wire, at_ms)
        if claim.serial != serial:
            raise Refused("foreign_serial", "This claim is for another serial number.")
        seat = Seat(claim.serial, claim.terminal_id, claim.place, claim.profile)
        _check(claim.tenant, seat)
        request = requests.asked_by(fingerprint, claim.serial, address, at_ms)
        if not _first_use(claim, fingerprint, signers, at_ms):
            return request
        if request.state == "refused":
            raise Refused("refused", "This key was refused. An installer resets the terminal to make a new one.")
        if request.state != "waiting":
            raise Refused("decided", "This terminal is enrolled already; a claim is for a bare one.")
        who = Actor(claim.tenant, f"claim:{claim.claim}")
        why = "signed by " + ", ".join(signers)
        return requests.accept(who, request, seat, "claim", at_ms, network=claim.network, why=why)


def keys(tenant: str) -> Iterator[ClaimKey]:
    """Whose signatures count in this city now."""
    of = ClaimKey.tenant.in_((tenant, PROVINCE)) & ClaimKey.retired_ms.is_null()
    yield from ClaimKey.select().where(of).order_by(ClaimKey.name)


def add_key(actor: Actor, name: str, public_key: bytes, at_ms: int) -> None:
    """From now on this person signs sticks of this city. ``public_key``: 32 bytes, made on the person's own machine.

    Raises:
        Refused: not this person's to do, no key, or name or key are known already.
    """
    if len(public_key) != 32 or not 1 <= len(name) <= 64:
        raise Refused("malformed", "A key has 32 bytes, and its name at most 64 characters.")
    with step():
        must_be_allowed(actor, "certificates", requests.city_of(actor.tenant))
        if ClaimKey.get_or_none((ClaimKey.name == name) | (ClaimKey.public_key == public_key.hex())) is not None:
            raise Refused("name_taken", "This name or this key is known already.")
        ClaimKey.create(name=name, tenant=actor.tenant, public_key=public_key.hex(), since_ms=at_ms)
        audit.record(actor, at_ms, "claim_key_add", name, "", {"public_key": public_key.hex()})


def retire_key(actor: Actor, name: str, why: str, at_ms: int) -> None:
    """What it signed and was not used yet opens nothing any more. Raises NotFound, Refused."""
    with step():
        must_be_allowed(actor, "certificates", requests.city_of(actor.tenant))
        mine = (ClaimKey.name == name) & (ClaimKey.tenant == actor.tenant) & ClaimKey.retired_ms.is_null()
        if ClaimKey.update(retired_ms=at_ms).where(mine).execute() != 1:
            raise NotFound
        audit.record(actor, at_ms, "claim_key_retire", name, why)


def _read(wire: bytes, at_ms: int) -> tuple[Claim, tuple[str, ...]]:
    known = [*ClaimKey.select().where(ClaimKey.retired_ms.is_null())]
    public = {row.name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(row.public_key)) for row in known}
    try:
        trusted, signers = read_cosigned(wire, CLAIM_KIND, public, CLAIM_SIGNERS, CLAIM_VERSION)
        claim = msgspec.convert(trusted.content, Claim)
    except (NotTrusted, msgspec.ValidationError) as error:
        raise Refused("not_trusted", f"{error}"[:200]) from None
    if trusted.expires_at <= datetime.fromtimestamp(at_ms / 1000, UTC):
        raise Refused("claim_expired", "This claim is too old. Ask for a new stick.")
    _of_this_city(claim, signers, {row.name: row.tenant_id for row in known})
    return claim, signers


def _of_this_city(claim: Claim, signers: tuple[str, ...], tenants: Mapping[str, str]) -> None:
    if not {tenants[name] for name in signers} <= {claim.tenant, PROVINCE}:
        raise Refused("foreign_city", "Its signers may not sign for this city.")


def _check(tenant: str, seat: Seat) -> None:
    try:
        check_seat(tenant, seat)
    except NotFound:
        raise Refused("no_such_place", "The place that this claim names is not there any more.") from None


def _first_use(claim: Claim, fingerprint: str, signers: tuple[str, ...], at_ms: int) -> bool:
    """False: this key brought it before. Raises Refused: another one did."""
    before = UsedClaim.get_or_none(UsedClaim.claim == claim.claim)
    row = {"tenant": claim.tenant, "serial": claim.serial, "signed_by": ", ".join(signers), "used_ms": at_ms}
    UsedClaim.insert(claim=claim.claim, fingerprint=fingerprint, **row).on_conflict_ignore().execute()
    if UsedClaim.get_by_id(claim.claim).fingerprint != fingerprint:
        raise Refused("claim_used", "Another terminal used this claim before.")
    return before is None
