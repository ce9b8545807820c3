"""Terminals that want to become known, how they may, and doubts about who they are."""

import peewee

from provisioning.fleet.schema.base import JsonField, Row
from provisioning.fleet.schema.places import Place, Tenant
from provisioning.fleet.schema.terminals import Terminal

# waiting: nobody said anything yet · confirmed: the next question is answered with a certificate · issued · refused
REQUEST_STATES = ("waiting", "confirmed", "issued", "refused")


class EnrolmentRequest(Row):
    """A key that asked for a certificate. ``tenant`` None: no city knows its serial number yet; then only who names the
    whole fingerprint sees it, or the province. ``how``: person | claim | expected."""

    tenant_id: str | None
    terminal_id: int | None
    fingerprint = peewee.CharField(64, primary_key=True)
    serial = peewee.CharField(64, index=True)
    tenant = peewee.ForeignKeyField(Tenant, null=True, on_delete="RESTRICT")
    terminal = peewee.ForeignKeyField(Terminal, null=True, on_delete="RESTRICT")
    state = peewee.CharField(16, default="waiting")
    how = peewee.CharField(16, default="")
    address = peewee.CharField(64, default="")
    network = JsonField(null=True)
    first_ms = peewee.BigIntegerField()
    last_ms = peewee.BigIntegerField(index=True)
    decided_by = peewee.CharField(80, default="")
    why = peewee.TextField(default="")


class ExpectedTerminal(Row):
    """A serial number that was registered before its terminal was plugged in. ``fingerprint`` "": the first key that
    names this serial until ``until_ms`` is taken; else only this one."""

    tenant_id: str
    place_id: int
    serial = peewee.CharField(64, primary_key=True)
    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    terminal_id = peewee.CharField(16, unique=True)
    place = peewee.ForeignKeyField(Place, on_delete="RESTRICT")
    profile = peewee.CharField(16, default="hall")
    fingerprint = peewee.CharField(64, default="")
    network = JsonField(null=True)
    until_ms = peewee.BigIntegerField()
    created_ms = peewee.BigIntegerField()
    created_by = peewee.CharField(80)
    used_ms = peewee.BigIntegerField(null=True)


class ClaimKey(Row):
    """Whose signature a stick may carry: a person's own key, which no server holds. Those of the province count in
    every city. ``public_key``: Ed25519, hex."""

    tenant_id: str
    name = peewee.CharField(64, primary_key=True)
    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    public_key = peewee.CharField(64, unique=True)
    since_ms = peewee.BigIntegerField()
    retired_ms = peewee.BigIntegerField(null=True)


class UsedClaim(Row):
    """A claim is bound to the first key that brings it, for ever."""

    claim = peewee.CharField(32, primary_key=True)
    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    serial = peewee.CharField(64)
    fingerprint = peewee.CharField(64)
    signed_by = peewee.TextField()
    used_ms = peewee.BigIntegerField()


class LateRenewal(Row):
    """A terminal whose certificate expired asks to renew it with its old key. ``agreed_ms`` None: nobody agreed yet;
    ``used_ms``: this consent is spent."""

    terminal_id: int
    fingerprint = peewee.CharField(64, primary_key=True)
    terminal = peewee.ForeignKeyField(Terminal, on_delete="CASCADE", index=True)
    asked_ms = peewee.BigIntegerField()
    proposal = peewee.IntegerField(null=True)
    agreed_ms = peewee.BigIntegerField(null=True)
    agreed_by = peewee.CharField(80, default="")
    used_ms = peewee.BigIntegerField(null=True)


class Presence(Row):
    """Which life of its agent speaks for a terminal, and which other one tried to. ``boot`` counts the agent's starts
    on that disk, ``run`` is drawn at each: a copied disk counts on from the same number, but draws for itself."""

    terminal_id: int
    terminal = peewee.ForeignKeyField(Terminal, primary_key=True, on_delete="CASCADE")
    boot = peewee.BigIntegerField()
    run = peewee.CharField(32)
    address = peewee.CharField(64, default="")
    since_ms = peewee.BigIntegerField()
    before_boot = peewee.BigIntegerField(default=0)
    before_run = peewee.CharField(32, default="")
    doubted_ms = peewee.BigIntegerField(null=True, index=True)
    other_boot = peewee.BigIntegerField(default=0)
    other_run = peewee.CharField(32, default="")
    other_address = peewee.CharField(64, default="")
