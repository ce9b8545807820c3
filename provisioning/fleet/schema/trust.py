"""Every trust list of a city, because a terminal that was dark walks all of them."""

import peewee

from provisioning.fleet.schema.base import Row
from provisioning.fleet.schema.places import Tenant


class TrustList(Row):
    """As it goes on the wire. ``signs``: name of the key by which the city signs since."""

    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    number = peewee.IntegerField()
    signs = peewee.CharField(64)
    wire = peewee.TextField()
    published_ms = peewee.BigIntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("tenant", "number")
