"""Software and who is to get it, in hawkBit's words: modules with artifacts, sets of modules, actions, their status.

What hawkBit calls a target is a ``Terminal`` here; its controller id is the ``terminal_id``.
"""

import peewee

from provisioning.fleet.schema.base import JsonField, Row
from provisioning.fleet.schema.places import Tenant
from provisioning.fleet.schema.terminals import Terminal

# hawkBit's Action.Status, in lower case as its management interface writes them.
STATUSES = (
    "finished", "error", "warning", "running", "canceled", "canceling", "retrieved", "download", "downloaded",
    "scheduled", "cancel_rejected", "wait_for_confirmation",
)  # fmt: skip
ENDED = ("finished", "error", "canceled")  # an action in one of these is not active any more
FORCES = ("soft", "forced", "timeforced", "downloadonly")


class _Named(Row):
    """What modules and sets share. ``kind``: key of its type. ``deleted``: kept for the actions that name it."""

    tenant_id: str
    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    kind = peewee.CharField(64)
    name = peewee.CharField(128)
    version = peewee.CharField(64)
    description = peewee.TextField(default="")
    deleted = peewee.BooleanField(default=False)
    locked = peewee.BooleanField(default=False)  # was assigned or proposed once: its parts change no more
    created_by = peewee.CharField(80)
    created_ms = peewee.BigIntegerField()
    changed_by = peewee.CharField(80)
    changed_ms = peewee.BigIntegerField()


class SoftwareType(Row):
    """``of``: module | set. ``parts``: of a set's type, module type key -> whether it must be there."""

    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    of = peewee.CharField(8)
    key = peewee.CharField(64)
    name = peewee.CharField(128)
    description = peewee.TextField(default="")
    max_assignments = peewee.IntegerField(default=1)
    parts = JsonField(default=dict)
    created_by = peewee.CharField(80)
    created_ms = peewee.BigIntegerField()

    class Meta:
        indexes = ((("tenant", "of", "key"), True),)


class SoftwareModule(_Named):
    """``notes``: metadata for the device, key -> value."""

    vendor = peewee.CharField(256, default="")
    notes = JsonField(default=dict)

    class Meta:
        indexes = ((("tenant", "kind", "name", "version"), True),)


class Artifact(Row):
    """A file of a module. Its bytes are kept once under ``sha256`` (``provisioning.fleet.software.store``)."""

    module_id: int
    tenant_id: str
    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    module = peewee.ForeignKeyField(SoftwareModule, on_delete="CASCADE", backref="artifacts")
    filename = peewee.CharField(256)
    size_bytes = peewee.BigIntegerField()
    sha256 = peewee.CharField(64, index=True)
    sha1 = peewee.CharField(40)
    md5 = peewee.CharField(32)
    created_by = peewee.CharField(80)
    created_ms = peewee.BigIntegerField()

    class Meta:
        indexes = ((("module", "filename"), True),)


class DistributionSet(_Named):
    """What a terminal is to have as a whole."""

    required_migration_step = peewee.BooleanField(default=False)

    class Meta:
        indexes = ((("tenant", "name", "version"), True),)


class SetModule(Row):
    """A module of a set."""

    set = peewee.ForeignKeyField(DistributionSet, on_delete="CASCADE")
    module = peewee.ForeignKeyField(SoftwareModule, on_delete="RESTRICT")

    class Meta:
        primary_key = peewee.CompositeKey("set", "module")


class Action(Row):
    """One terminal is to get one set. ``status`` is one of ``STATUSES``; ``active``: not ended.

    ``rollout``: of the rollout that made it, and ``group`` in it; None where a person assigned it alone.
    ``forced_ms``: from when a timeforced action counts as forced. ``window``: hawkBit's maintenance window or None.
    """

    tenant_id: str
    terminal_id: int
    set_id: int
    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    terminal = peewee.ForeignKeyField(Terminal, on_delete="RESTRICT")
    set = peewee.ForeignKeyField(DistributionSet, on_delete="RESTRICT", index=True)
    status = peewee.CharField(24, default="running")
    active = peewee.BooleanField(default=True)
    force = peewee.CharField(16, default="forced")
    forced_ms = peewee.BigIntegerField(default=0)
    weight = peewee.IntegerField(default=1000)
    window = JsonField(null=True)
    confirmed = peewee.BooleanField(default=True)  # False: waits for somebody's consent at the terminal
    rollout = peewee.IntegerField(null=True, index=True)
    group = peewee.IntegerField(null=True)
    code = peewee.IntegerField(null=True)  # the last that the terminal told
    created_by = peewee.CharField(80)
    created_ms = peewee.BigIntegerField()
    changed_ms = peewee.BigIntegerField()

    class Meta:
        indexes = ((("terminal", "active"), False),)


class ActionStatus(Row):
    """What was told of an action. ``told_ms``: by the terminal's clock; ``at_ms`` by ours."""

    action_id: int
    action = peewee.ForeignKeyField(Action, on_delete="CASCADE", index=True)
    at_ms = peewee.BigIntegerField()
    told_ms = peewee.BigIntegerField()
    status = peewee.CharField(24)
    code = peewee.IntegerField(null=True)
    messages = JsonField(default=list)


class TerminalSoftware(Row):
    """What a terminal was assigned last, and what it says that it has."""

    terminal_id: int
    assigned_id: int | None
    installed_id: int | None
    terminal = peewee.ForeignKeyField(Terminal, primary_key=True, on_delete="CASCADE")
    assigned = peewee.ForeignKeyField(DistributionSet, null=True, on_delete="RESTRICT")
    installed = peewee.ForeignKeyField(DistributionSet, null=True, on_delete="RESTRICT")
    installed_ms = peewee.BigIntegerField(null=True)
    auto_confirm = peewee.BooleanField(default=False)


class TerminalAttribute(Row):
    """What a stock client tells of itself (configData)."""

    terminal = peewee.ForeignKeyField(Terminal, on_delete="CASCADE")
    key = peewee.CharField(128)
    value = peewee.CharField(512)

    class Meta:
        primary_key = peewee.CompositeKey("terminal", "key")
