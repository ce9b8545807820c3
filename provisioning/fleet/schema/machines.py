"""Programs that use the management interface."""

import peewee

from provisioning.fleet.schema.base import Row
from provisioning.fleet.schema.places import Tenant


class ApiClient(Row):
    """``secret_hash``: SHA-256 of a secret of 32 random bytes, shown once; a password's slow hash would guard nothing
    more. ``may``: read | write (modules and sets) | assign (also to terminals)."""

    tenant_id: str
    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    name = peewee.CharField(64)
    secret_hash = peewee.CharField(64)
    may = peewee.CharField(8, default="read")
    active = peewee.BooleanField(default=True)
    created_ms = peewee.BigIntegerField()

    class Meta:
        indexes = ((("tenant", "name"), True),)
