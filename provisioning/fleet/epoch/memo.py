"""Makes the memo that terminals carry, and takes it back from them after a restore."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.basics.signed import NotTrusted, Signer
from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, Refused
from provisioning.fleet.database import step
from provisioning.fleet.epoch.acts import document, keep, locked
from provisioning.fleet.schema.audit import AuditHead
from provisioning.fleet.schema.desired import DesiredCounter
from provisioning.fleet.schema.enrolment import UsedClaim
from provisioning.fleet.schema.places import Tenant
from provisioning.fleet.schema.terminals import Certificate, Terminal
from provisioning.fleet.touch import touch
from provisioning.fleet.trust.lists import newest
from provisioning.rules.epoch import LISTED_MAX, MEMO_KIND, Memo, read_memo

REMEMBERED_MS = 90 * 86_400_000  # what happened before stands in every backup that anybody would restore
ANEW_MS = 86_400_000
HARDLY_EVER = timedelta(days=36_500)
GONE = ("stopped", "retired")


def renew(tenant: str, signer: Signer, at_ms: int) -> bool:
    """Make a new memo where something must not be forgotten, or a day passed; whether one was made."""
    with step():
        row = Tenant.get_by_id(tenant)
        if row.restored_ms is not None:
            return False  # this fleet has forgotten; it asks before it tells
        now = _now(tenant, at_ms)
        before = document(tenant, MEMO_KIND)
        if before is not None and not _news(before, now, signer, at_ms):
            return False
        number = row.memo + 1
        moment = datetime.fromtimestamp(at_ms / 1000, UTC)
        facts = msgspec.to_builtins(now)
        keep(tenant, MEMO_KIND, number, signer.signed(MEMO_KIND, number, moment, moment + HARDLY_EVER, facts), at_ms)
        Tenant.update(memo=number).where(Tenant.code == tenant).execute()
        return True


def hear(actor: Actor, wire: bytes, keys: Mapping[str, Ed25519PublicKey], at_ms: int) -> bool:
    """A terminal brings the memo that it carries; whether it told anything new.

    What stands in it is done again: terminals stay stopped, certificates revoked, claims used, versions beyond.

    Raises:
        Refused: not signed by this city, or another city's.
    """
    with step():
        tenant = locked(actor.tenant)
        assert tenant is not None, "an actor has a city"
        try:
            memo, trusted = read_memo(wire, keys, actor.tenant)
        except NotTrusted as error:
            raise Refused("not_trusted", f"This memo is not believed: {error}.") from None
        if tenant.restored_ms is None or trusted.version <= tenant.memo:
            return False
        told = _do_again(actor, memo, at_ms)
        keep(actor.tenant, MEMO_KIND, trusted.version, wire, at_ms)
        Tenant.update(memo=trusted.version).where(Tenant.code == actor.tenant).execute()
        here = newest(actor.tenant)
        lists = {"trust": memo.trust, "trust_here": here} if memo.trust > here else {}
        lost = {"lost_up_to": memo.audit_seq, "lost_link": memo.audit_link, **lists, **told}
        audit.record(actor, at_ms, "memo_heard", f"memo {trusted.version}", "after a restore", lost)
        return True


def _do_again(actor: Actor, memo: Memo, at_ms: int) -> dict[str, int]:
    """How many of each were forgotten."""
    mine = Terminal.tenant == actor.tenant
    gone = mine & Terminal.terminal_id.in_(memo.stopped) & Terminal.state.not_in(GONE)
    touch(gone, at_ms)
    stopped = Terminal.update(state="stopped").where(gone).execute()
    of_city = Certificate.terminal.in_(Terminal.select(Terminal.id).where(mine))
    good = of_city & Certificate.serial.in_(memo.revoked) & Certificate.revoked_ms.is_null()
    why = "revoked before the restore"
    revoked = Certificate.update(revoked_ms=at_ms, why_revoked=why).where(good).execute()
    claims = 0
    for claim in memo.claims:
        row = {"tenant": actor.tenant, "serial": "", "fingerprint": "", "signed_by": "a memo", "used_ms": at_ms}
        if UsedClaim.get_or_none(UsedClaim.claim == claim) is None:
            UsedClaim.insert(claim=claim, **row).execute()
            claims += 1
    DesiredCounter.insert(tenant=actor.tenant, version=0).on_conflict_ignore().execute()
    behind = (DesiredCounter.tenant == actor.tenant) & (DesiredCounter.version < memo.desired_version)
    DesiredCounter.update(version=memo.desired_version).where(behind).execute()
    return {"stopped": stopped, "revoked": revoked, "claims": claims}


def _now(tenant: str, at_ms: int) -> Memo:
    since = at_ms - REMEMBERED_MS
    mine = Terminal.tenant == tenant
    recent = Certificate.revoked_ms.is_null(False) & (Certificate.revoked_ms >= since)
    revoked: Any = Certificate.select(Certificate.serial).join(Terminal).where(mine & recent)
    gone = mine & Terminal.state.in_(GONE) & (Terminal.changed_ms >= since)
    stopped: Any = Terminal.select(Terminal.terminal_id).where(gone)
    claims: Any = UsedClaim.select(UsedClaim.claim).where((UsedClaim.tenant == tenant) & (UsedClaim.used_ms >= since))
    head = AuditHead.get_or_none(AuditHead.tenant == tenant)
    counter = DesiredCounter.get_or_none(DesiredCounter.tenant == tenant)
    return Memo(
        tenant=tenant,
        audit_seq=head.seq if head else 0,
        audit_link=head.link if head else "",
        desired_version=counter.version if counter else 0,
        stopped=sorted(name for (name,) in stopped.limit(LISTED_MAX).tuples()),
        revoked=sorted(serial for (serial,) in revoked.limit(LISTED_MAX).tuples()),
        claims=sorted(claim for (claim,) in claims.limit(LISTED_MAX).tuples()),
        trust=newest(tenant),
    )


def _news(before: bytes, now: Memo, signer: Signer, at_ms: int) -> bool:
    try:
        memo, trusted = read_memo(before, {signer.name: signer.key.public_key()}, now.tenant)
    except NotTrusted:
        return True  # the city signs by another key now, and terminals carry only what they can believe
    if at_ms - trusted.issued_at.timestamp() * 1000 >= ANEW_MS:
        return True
    grave = ("stopped", "revoked", "claims", "trust")
    return any(getattr(memo, name) != getattr(now, name) for name in grave)
