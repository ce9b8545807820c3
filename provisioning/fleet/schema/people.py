"""Who works at the console, and where they may do what."""

import peewee

from provisioning.fleet.schema.base import Row
from provisioning.fleet.schema.places import Place, Tenant

# What each may do stands in provisioning/fleet/roles.py. The three administrators are never one person.
ROLES = (
    "viewer", "operator", "key_officer", "bank_key_officer", "approver", "auditor", "system_admin", "security_admin",
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


class Session(Row):
    """Somebody who signed in. Only the hash of the token is here: whoever reads the table cannot be anybody."""

    token_hash = peewee.CharField(64, primary_key=True)
    person = peewee.ForeignKeyField(Person, on_delete="CASCADE", index=True)
    address = peewee.CharField(64)
    created_ms = peewee.BigIntegerField()
    used_ms = peewee.BigIntegerField(index=True)


class Lane(Row):
    """Failed sign-ins of one login, address or known browser, in a window that began at ``since_ms``."""

    name = peewee.CharField(100, primary_key=True)
    tries = peewee.IntegerField()
    since_ms = peewee.BigIntegerField(index=True)


class Invitation(Row):
    """To choose a password and a second factor. It takes a link, which ``link_for`` hands over, and a code, which
    ``code_for`` tells: neither of the two can sign in as the person. Both are kept as hashes."""

    person = peewee.ForeignKeyField(Person, on_delete="CASCADE", index=True)
    link_for = peewee.CharField(80)
    code_for = peewee.CharField(80)
    link_hash = peewee.CharField(64, default="", index=True)
    code_hash = peewee.CharField(64, default="")
    totp_secret = peewee.TextField(default="")  # sealed, until it is the person's
    tries = peewee.IntegerField(default=0)
    expires_ms = peewee.BigIntegerField()
    used_ms = peewee.BigIntegerField(null=True)
