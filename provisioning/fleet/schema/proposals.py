"""What one person proposed and another must approve."""

import peewee

from provisioning.fleet.schema.base import JsonField, Row
from provisioning.fleet.schema.places import Place, Tenant

# waiting · approved: done in the same step · refused: by whoever could have approved · withdrawn: by the proposer.
# One whose time is over stays "waiting" and can no longer be approved.
PROPOSAL_STATES = ("waiting", "approved", "refused", "withdrawn")


class Proposal(Row):
    """``kind``: what is carried out on approval (``provisioning.fleet.proposals.register``). ``facts``: all of what the
    approver agrees to; nothing else is carried out. ``who``: ``person:login``."""

    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    kind = peewee.CharField(32)
    subject = peewee.CharField(80)
    place = peewee.ForeignKeyField(Place, on_delete="RESTRICT")
    facts = JsonField(default=dict)
    why = peewee.TextField(default="")
    state = peewee.CharField(16, default="waiting")
    proposed_by = peewee.CharField(80)
    proposed_ms = peewee.BigIntegerField()
    expires_ms = peewee.BigIntegerField()
    decided_by = peewee.CharField(80, default="")
    decided_ms = peewee.BigIntegerField(null=True)
    why_decided = peewee.TextField(default="")

    class Meta:
        indexes = ((("tenant", "state", "proposed_ms"), False),)
