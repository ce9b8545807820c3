"""Adds to the audit trail, and proves that nothing was taken out of it or changed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kiosk.basics.signed import canonical
from provisioning.fleet.actor import Actor
from provisioning.fleet.database import step
from provisioning.fleet.schema.audit import AuditHead, AuditRow

NOTHING_BEFORE = "00" * 32


def record(
    actor: Actor, at_ms: int, act: str, subject: str, why: str = "", facts: Mapping[str, Any] | None = None
) -> int:
    """Its number in the city's chain. Call it inside the step that does what it tells, so that both stand or neither.

    Raises:
        peewee.IntegrityError: there is no such city.
    """
    with step():
        AuditHead.insert(tenant=actor.tenant, seq=0, link=NOTHING_BEFORE).on_conflict_ignore().execute()
        # The update locks the head until the step ends: whoever comes second follows this row.
        AuditHead.update(seq=AuditHead.seq + 1).where(AuditHead.tenant == actor.tenant).execute()
        head = AuditHead.get_by_id(actor.tenant)
        told = {"at_ms": at_ms, "who": actor.who, "act": act, "subject": subject, "why": why, "facts": facts or {}}
        link = link_of(head.link, actor.tenant, head.seq, told)
        AuditRow.insert(tenant=actor.tenant, seq=head.seq, link=link, **told).execute()
        AuditHead.update(link=link).where(AuditHead.tenant == actor.tenant).execute()
        return int(head.seq)


def link_of(before: str, tenant: str, seq: int, told: Mapping[str, Any]) -> str:
    """SHA-256, hex, over the link before and the canonical row."""
    return hashlib.sha256(bytes.fromhex(before) + canonical({**told, "tenant": tenant, "seq": seq})).hexdigest()


@dataclass(frozen=True)
class Verdict:
    """``broken_at``: number of the first row that does not follow, 0 where the chain is whole."""

    rows: int
    link: str
    broken_at: int = 0


def verify(tenant: str) -> Verdict:
    """Walk a city's whole chain."""
    link, seq = NOTHING_BEFORE, 0
    for row in AuditRow.select().where(AuditRow.tenant == tenant).order_by(AuditRow.seq).iterator():
        names = ("at_ms", "who", "act", "subject", "why", "facts")
        follows = link_of(link, tenant, row.seq, {name: getattr(row, name) for name in names})
        if row.seq != seq + 1 or follows != row.link:
            return Verdict(seq, link, row.seq)
        link, seq = row.link, row.seq
    head = AuditHead.get_or_none(AuditHead.tenant == tenant)
    if head is not None and (head.seq, head.link) != (seq, link):
        return Verdict(seq, link, seq + 1)  # the newest rows were taken away
    return Verdict(seq, link)
