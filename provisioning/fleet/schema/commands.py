"""Commands to terminals, and what became of each."""

import peewee

from provisioning.fleet.schema.base import JsonField, Row
from provisioning.fleet.schema.places import Tenant
from provisioning.fleet.schema.terminals import Terminal

# waiting: for the terminal's poll · done, refused, expired, failed: as it answered · withdrawn: before it answered.
# One whose time is over without an answer stays "waiting" and is told to nobody any more.
COMMAND_STATES = ("waiting", "done", "refused", "expired", "failed", "withdrawn")


class Command(Row):
    """``proposal``: that two people agreed by; 0 where one was enough. ``facts``: of the answer. ``sent``: what the
    terminal sent for it (logs, a picture), a file's name below the fleet's home. It is signed when it is told."""

    tenant_id: str
    terminal_id: int
    command = peewee.CharField(36, primary_key=True)
    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    terminal = peewee.ForeignKeyField(Terminal, on_delete="CASCADE")
    act = peewee.CharField(24)
    arguments = JsonField(default=dict)
    why = peewee.TextField(default="")
    sent_by = peewee.CharField(80)
    proposal = peewee.IntegerField(default=0)
    created_ms = peewee.BigIntegerField()
    expires_ms = peewee.BigIntegerField()
    state = peewee.CharField(16, default="waiting")
    answered_ms = peewee.BigIntegerField(null=True)
    answer = peewee.TextField(default="")
    facts = JsonField(default=dict)
    sent = peewee.CharField(64, default="")

    class Meta:
        indexes = ((("terminal", "state"), False), (("tenant", "created_ms"), False))
