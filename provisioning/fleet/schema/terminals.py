"""Terminals, by which certificate they are known, and how they are."""

import peewee

from provisioning.fleet.schema.base import JsonField, Row
from provisioning.fleet.schema.places import Place, Tenant

# registered: its serial number is known, nothing was issued · active: it may ask · stopped: revoked, lost or stolen ·
# retired: decommissioned, its journal acknowledged.
STATES = ("registered", "active", "stopped", "retired")


class Terminal(Row):
    """``changed_ms`` moves with everything that a poll's answer depends on: each process re-reads such rows."""

    tenant_id: str
    place_id: int
    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    terminal_id = peewee.CharField(16, unique=True)
    serial = peewee.CharField(64, unique=True)  # the maker's, on the plate
    place = peewee.ForeignKeyField(Place, on_delete="RESTRICT", index=True)
    state = peewee.CharField(16, default="registered")
    profile = peewee.CharField(16, default="hall")  # hall | hospital | village
    sleep_s = peewee.FloatField(default=300.0)
    in_service = peewee.BooleanField(default=True)
    desired_version = peewee.IntegerField(default=0)
    action = peewee.CharField(32, default="")  # the DDI action that waits for it
    token_hash = peewee.CharField(64, default="")  # of stock DDI clients; ours have certificates
    created_ms = peewee.BigIntegerField()
    changed_ms = peewee.BigIntegerField(index=True)


class Certificate(Row):
    """``serial`` in hex as nginx tells it (upper case). ``revoked_ms`` None: good. ``issuer``: name of the authority;
    ``renew_ms``: from then on the terminal is told to renew it; ``fingerprint``: of its key."""

    terminal_id: int
    serial = peewee.CharField(64, primary_key=True)
    terminal = peewee.ForeignKeyField(Terminal, on_delete="RESTRICT", index=True)
    fingerprint = peewee.CharField(64, default="", index=True)
    issuer = peewee.CharField(64, default="")
    not_before_ms = peewee.BigIntegerField(default=0)
    not_after_ms = peewee.BigIntegerField(index=True)
    renew_ms = peewee.BigIntegerField(null=True)
    revoked_ms = peewee.BigIntegerField(null=True)
    why_revoked = peewee.TextField(default="")
    pem = peewee.TextField()


class TerminalHealth(Row):
    """The newest report (``provisioning.rules.poll.Health``) and what lists and alerts ask of it."""

    terminal = peewee.ForeignKeyField(Terminal, primary_key=True, on_delete="CASCADE")
    seen_ms = peewee.BigIntegerField(index=True)
    epoch = peewee.IntegerField(default=0)
    desired_version = peewee.IntegerField(default=0)
    desired_trouble = peewee.TextField(default="")
    serving = peewee.BooleanField(default=False)
    unsent_count = peewee.IntegerField(null=True)
    unsent_fen = peewee.BigIntegerField(null=True)
    suspense_fen = peewee.BigIntegerField(null=True)
    version = peewee.CharField(64, default="")
    report = JsonField(null=True)


class TerminalEvent(Row):
    """What changed at a terminal, for its history: a slot that failed, a version, settings in force, a restart."""

    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    terminal = peewee.ForeignKeyField(Terminal, on_delete="CASCADE")
    at_ms = peewee.BigIntegerField()
    what = peewee.CharField(32)
    facts = JsonField(default=dict)

    class Meta:
        indexes = ((("terminal", "at_ms"), False),)
