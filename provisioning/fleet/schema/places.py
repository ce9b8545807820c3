"""Cities, and the tree of places in each."""

import peewee

from provisioning.fleet.schema.base import JsonField, Row


class Tenant(Row):
    """A city. ``settings``: quotas, time zone, who is told of what. The province itself is tenant ``PROVINCE``.

    ``epoch`` and ``memo``: newest numbers of the documents in ``schema/epoch.py``. ``restored_ms``: of when the backup
    was from which this fleet came back, while its terminals still tell what happened since; None: nothing was lost.
    """

    code = peewee.CharField(32, primary_key=True)
    name_zh = peewee.TextField()
    name_en = peewee.TextField()
    settings = JsonField(default=dict)
    epoch = peewee.IntegerField(default=0)
    memo = peewee.BigIntegerField(default=0)
    restored_ms = peewee.BigIntegerField(null=True)
    created_ms = peewee.BigIntegerField()


class Place(Row):
    """``kind``: city | district | hall. ``path``: the ids from the root, "/1/5/"; a subtree is a prefix."""

    parent_id: int | None
    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    parent = peewee.ForeignKeyField("self", null=True, on_delete="RESTRICT")
    kind = peewee.CharField(16)
    name_zh = peewee.TextField()
    name_en = peewee.TextField()
    path = peewee.CharField(200, index=True)
    metered = peewee.BooleanField(default=False)  # its line is paid by the byte: no full images over it


PROVINCE = "province"
