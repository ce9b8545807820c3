"""Key blocks on their way to PIN pads. What is in them nobody here can read."""

import peewee

from provisioning.fleet.schema.base import Row
from provisioning.fleet.schema.places import Tenant
from provisioning.fleet.schema.terminals import Terminal

# waiting: for the terminal · done · differs: another check value than the officers expect · refused, failed: by pad or
# terminal · withdrawn · one whose time is over stays "waiting" and is told to nobody any more.
BLOCK_STATES = ("waiting", "done", "differs", "refused", "failed", "withdrawn")


class KeyLoad(Row):
    """``told_check_value``: what the pad answered. The block itself is forgotten once it was loaded."""

    tenant_id: str
    terminal_id: int
    block_id = peewee.CharField(36, primary_key=True)
    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    terminal = peewee.ForeignKeyField(Terminal, on_delete="CASCADE")
    domain = peewee.CharField(8)
    form = peewee.CharField(16)
    master = peewee.IntegerField(default=0)
    slot = peewee.IntegerField()
    block = peewee.TextField()
    check_value = peewee.CharField(16)
    pad = peewee.CharField(40, default="")
    proposed_by = peewee.CharField(80)
    approved_by = peewee.CharField(80)
    created_ms = peewee.BigIntegerField()
    expires_ms = peewee.BigIntegerField()
    state = peewee.CharField(12, default="waiting")
    answered_ms = peewee.BigIntegerField(null=True)
    told_check_value = peewee.CharField(16, default="")
    why = peewee.TextField(default="")

    class Meta:
        indexes = ((("terminal", "state"), False), (("tenant", "created_ms"), False))
