"""The audit trail: only ever added to, one hash chain for each city and one for the province."""

import peewee

from provisioning.fleet.schema.base import JsonField, Row
from provisioning.fleet.schema.places import Tenant


class AuditHead(Row):
    """The end of a chain; taken first by whoever adds, so that rows follow one another."""

    tenant = peewee.ForeignKeyField(Tenant, primary_key=True, on_delete="RESTRICT")
    seq = peewee.BigIntegerField(default=0)
    link = peewee.CharField(64, default="")


class AuditRow(Row):
    """Who did what to which terminal, when and why. ``subject``: a terminal id, a rollout, a person's login ..."""

    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    seq = peewee.BigIntegerField()
    at_ms = peewee.BigIntegerField(index=True)
    who = peewee.CharField(80)
    act = peewee.CharField(48)
    subject = peewee.CharField(80, index=True)
    why = peewee.TextField(default="")
    facts = JsonField(default=dict)
    link = peewee.CharField(64)

    class Meta:
        primary_key = peewee.CompositeKey("tenant", "seq")
