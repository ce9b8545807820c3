"""Which process does what only one should do."""

import peewee

from provisioning.fleet.schema.base import Row


class Lease(Row):
    """``chore`` is done by ``holder`` alone until ``until_ms``; then whoever comes first."""

    chore = peewee.CharField(32, primary_key=True)
    holder = peewee.CharField(36)
    until_ms = peewee.BigIntegerField()
