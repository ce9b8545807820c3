"""Software on its way to many terminals: in waves, by place."""

import peewee

from provisioning.fleet.schema.base import JsonField, Row
from provisioning.fleet.schema.places import Tenant
from provisioning.fleet.schema.software import Action, DistributionSet
from provisioning.fleet.schema.terminals import Terminal

# waiting: for its approval · running · paused: by a person · returning: one wave goes back · returned · finished:
# late joiners still get it · stopped: by a person, nobody gets it any more.
ROLLOUT_STATES = ("waiting", "running", "paused", "returning", "returned", "finished", "stopped")
WAVE_STATES = ("waiting", "running", "passed", "returning", "returned")


class Rollout(Row):
    """``gate``: ``provisioning.rules.rollouts.Gate`` as JSON. ``ticked_ms``: when a process looked at it last."""

    set_id: int
    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    name = peewee.CharField(128)
    set = peewee.ForeignKeyField(DistributionSet, on_delete="RESTRICT")
    gate = JsonField()
    state = peewee.CharField(16, default="waiting")
    why = peewee.TextField(default="")  # of a return: bound and wave
    created_by = peewee.CharField(80)
    created_ms = peewee.BigIntegerField()
    ticked_ms = peewee.BigIntegerField(default=0)

    class Meta:
        indexes = ((("tenant", "name"), True),)


class Wave(Row):
    """``paths``: of the places whose terminals are in it (``Place.path``), less those of an earlier wave."""

    rollout_id: int
    rollout = peewee.ForeignKeyField(Rollout, on_delete="CASCADE", backref="waves")
    number = peewee.IntegerField()
    name = peewee.CharField(128)
    paths = JsonField()
    state = peewee.CharField(16, default="waiting")
    began_ms = peewee.BigIntegerField(null=True)
    well_since_ms = peewee.BigIntegerField(null=True)
    ended_ms = peewee.BigIntegerField(null=True)

    class Meta:
        indexes = ((("rollout", "number"), True),)


class Member(Row):
    """A terminal in its wave. ``before``: what it had, which it returns to; ``action``: that brings the new set, and
    ``back`` the one that returns it."""

    terminal_id: int
    action_id: int
    before_id: int | None
    rollout = peewee.ForeignKeyField(Rollout, on_delete="CASCADE")
    wave = peewee.ForeignKeyField(Wave, on_delete="CASCADE", index=True)
    terminal = peewee.ForeignKeyField(Terminal, on_delete="CASCADE", index=True)
    before = peewee.ForeignKeyField(DistributionSet, null=True, on_delete="RESTRICT")
    action = peewee.ForeignKeyField(Action, on_delete="RESTRICT")
    back = peewee.ForeignKeyField(Action, null=True, on_delete="RESTRICT")
    joined_ms = peewee.BigIntegerField()
    unsent_before = peewee.IntegerField(null=True)

    class Meta:
        primary_key = peewee.CompositeKey("rollout", "terminal")
