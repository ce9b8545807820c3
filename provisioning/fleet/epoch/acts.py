"""Begins a new epoch after a restore. Two approvers sign it with their own keys, which no server holds."""

from datetime import UTC, datetime, timedelta

from kiosk.basics.signed import NotTrusted, unsigned
from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, Refused
from provisioning.fleet.database import step
from provisioning.fleet.schema.epoch import FleetDocument
from provisioning.fleet.schema.places import Tenant
from provisioning.fleet.schema.terminals import Terminal
from provisioning.fleet.touch import touch
from provisioning.fleet.trust.lists import approvers
from provisioning.rules.epoch import EPOCH_KIND, read_epoch

# A village may be dark for months: it must still be able to take the epoch when it comes back.
GOOD_FOR = timedelta(days=730)


def begin_reconciling(who: str, made_ms: int, at_ms: int) -> None:
    """Right after a restore: what happened since ``made_ms`` is not known, in any city. Touches the database."""
    with step():
        for tenant in Tenant.select():
            Tenant.update(restored_ms=made_ms).where(Tenant.code == tenant.code).execute()
            facts = {"as_of_ms": made_ms}
            audit.record(Actor(tenant.code, who), at_ms, "restored", tenant.code, "from a backup", facts)


def end_reconciling(actor: Actor, why: str, at_ms: int) -> None:
    """People decide that enough was heard: unknown certificates are strangers again. Raises Refused: nothing to end."""
    with step():
        mine = (Tenant.code == actor.tenant) & Tenant.restored_ms.is_null(False)
        if Tenant.update(restored_ms=None).where(mine).execute() != 1:
            raise Refused("not_now", "This city is not coming back from a backup.")
        audit.record(actor, at_ms, "reconciled", actor.tenant, why)


def draft(actor: Actor, now: datetime) -> bytes:
    """The next epoch without a signature, for two approvers to sign on machines of their own."""
    tenant = Tenant.get_by_id(actor.tenant)
    restored = None if tenant.restored_ms is None else datetime.fromtimestamp(tenant.restored_ms / 1000, UTC)
    facts = {"tenant": actor.tenant, "restored_to": restored.isoformat() if restored else ""}
    return unsigned(EPOCH_KIND, tenant.epoch + 1, now, now + GOOD_FOR, facts)


def publish(actor: Actor, wire: bytes, at_ms: int) -> int:
    """From now on every terminal of the city is told of it.

    Raises:
        Refused: not signed by two approvers, not the next one, of another city, expired.
    """
    with step():
        tenant = locked(actor.tenant)
        assert tenant is not None, "an actor has a city"
        now = datetime.fromtimestamp(at_ms / 1000, UTC)
        try:
            number, signers = read_epoch(wire, approvers(actor.tenant), actor.tenant, tenant.epoch, now)
        except NotTrusted as error:
            raise Refused("not_trusted", f"This epoch cannot be published: {error}.") from None
        keep(actor.tenant, EPOCH_KIND, number, wire, at_ms)
        Tenant.update(epoch=number).where(Tenant.code == actor.tenant).execute()
        touch(Terminal.tenant == actor.tenant, at_ms)
        audit.record(actor, at_ms, "epoch_published", f"epoch {number}", facts={"signed_by": list(signers)})
        return number


def locked(tenant: str) -> Tenant | None:
    """The city, inside a step: until that ends, nobody else hears a memo, knows a certificate again or begins an epoch.
    None: there is no such city."""
    Tenant.update(memo=Tenant.memo).where(Tenant.code == tenant).execute()
    city: Tenant | None = Tenant.get_or_none(Tenant.code == tenant)
    return city


def document(tenant: str, kind: str) -> bytes | None:
    """The newest of this kind."""
    found = FleetDocument.get_or_none((FleetDocument.tenant == tenant) & (FleetDocument.kind == kind))
    return found.wire.encode() if found else None


def keep(tenant: str, kind: str, number: int, wire: bytes, at_ms: int) -> None:
    told = {"number": number, "wire": wire.decode(), "published_ms": at_ms}
    FleetDocument.insert(tenant=tenant, kind=kind, **told).on_conflict(
        conflict_target=[FleetDocument.tenant, FleetDocument.kind], update=told
    ).execute()
