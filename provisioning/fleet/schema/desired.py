"""What a city wants of its terminals: layers of settings by place and profile, and the files beside them."""

import peewee

from provisioning.fleet.schema.base import JsonField, Row
from provisioning.fleet.schema.places import Place, Tenant


class DesiredCounter(Row):
    """The newest version of a city. Every decision that changes what some terminal gets draws the next one."""

    tenant = peewee.ForeignKeyField(Tenant, primary_key=True, on_delete="RESTRICT")
    version = peewee.IntegerField(default=0)


class SettingsLayer(Row):
    """For all terminals below ``place``, or those of one ``profile`` ("" for all). The newest of a place and profile
    is in force; layers further down the tree lie over it. ``bodies``: as ``provisioning.rules.desired.BodyRef``."""

    tenant_id: str
    place_id: int
    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    place = peewee.ForeignKeyField(Place, on_delete="RESTRICT")
    profile = peewee.CharField(16, default="")
    version = peewee.IntegerField()
    settings = JsonField(default=dict)
    bodies = JsonField(default=list)
    why = peewee.TextField(default="")
    proposed_by = peewee.CharField(80)
    approved_by = peewee.CharField(80)
    approved_ms = peewee.BigIntegerField()

    class Meta:
        indexes = ((("tenant", "place", "profile", "version"), True),)


class SettingsBody(Row):
    """A file that settings speak of; it lies below the fleet's home by its digest."""

    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    sha256 = peewee.CharField(64)
    bytes = peewee.BigIntegerField()
    brought_by = peewee.CharField(80)
    brought_ms = peewee.BigIntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("tenant", "sha256")
