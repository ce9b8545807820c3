"""Calls for staff from terminals."""

import peewee

from provisioning.fleet.schema.base import Row
from provisioning.fleet.schema.places import Place, Tenant
from provisioning.fleet.schema.terminals import Terminal


class StaffCall(Row):
    """``key``: of the terminal's, so that one call is one row however often it is told."""

    tenant_id: str
    place_id: int
    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    terminal = peewee.ForeignKeyField(Terminal, on_delete="CASCADE")
    place = peewee.ForeignKeyField(Place, on_delete="RESTRICT")
    key = peewee.CharField(64)
    case_code = peewee.CharField(12)
    screen = peewee.CharField(80)
    reason = peewee.CharField(80)
    at_ms = peewee.BigIntegerField(index=True)
    acknowledged_ms = peewee.BigIntegerField(null=True)
    acknowledged_by = peewee.CharField(80, default="")
    note = peewee.TextField(default="")

    class Meta:
        indexes = ((("terminal", "key"), True), (("tenant", "acknowledged_ms"), False))
