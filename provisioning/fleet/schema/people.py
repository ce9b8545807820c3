"""Who works at the console, and where they may do what."""

import peewee

from provisioning.fleet.schema.base import Row
from provisioning.fleet.schema.places import Place, Tenant

# What each may do stands in provisioning/fleet/roles.py. The three administrators are never one person.
ROLES = (
    "viewer", "operator", "key_officer", "approver", "auditor", "system_admin", "security_admin",
)  # fmt: skip


class Person(Row):
    """``totp_secret`` is sealed with the fleet's key; nobody has a password in clear or a session without it."""

    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    login = peewee.CharField(64, unique=True)
    name = peewee.TextField()
    password_hash = peewee.TextField()
    totp_secret = peewee.TextField(default="")
    totp_last = peewee.BigIntegerField(default=0)  # the time step that was used last: a code opens once
    active = peewee.BooleanField(default=True)
    created_ms = peewee.BigIntegerField()


class Grant(Row):
    """``place``: the root of the subtree in which the role holds."""

    person = peewee.ForeignKeyField(Person, on_delete="CASCADE")
    place = peewee.ForeignKeyField(Place, on_delete="CASCADE")
    role = peewee.CharField(16)

    class Meta:
        indexes = ((("person", "place", "role"), True),)
