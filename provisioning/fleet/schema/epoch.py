"""What outlives a restore: epochs, and the memo that terminals carry for the fleet."""

import peewee

from provisioning.fleet.schema.base import Row
from provisioning.fleet.schema.places import Tenant


class FleetDocument(Row):
    """The newest ``fleet_epoch`` and ``fleet_memo`` of a city, as they go on the wire."""

    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    kind = peewee.CharField(16)
    number = peewee.BigIntegerField()
    wire = peewee.TextField()
    published_ms = peewee.BigIntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("tenant", "kind")
