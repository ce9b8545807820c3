"""What wants a person: rules, alerts, times of silence, and who is told."""

import peewee

from provisioning.fleet.schema.base import JsonField, Row
from provisioning.fleet.schema.places import Place, Tenant
from provisioning.fleet.schema.terminals import Terminal


class AlertRule(Row):
    """A city's own rules; ``rule`` is ``provisioning.rules.alerts.Rule`` as JSON."""

    tenant_id: str
    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    name = peewee.CharField(48)
    rule = JsonField()
    enabled = peewee.BooleanField(default=True)
    changed_by = peewee.CharField(80, default="fleet")
    changed_ms = peewee.BigIntegerField()

    class Meta:
        indexes = ((("tenant", "name"), True),)


class Alert(Row):
    """``rule``: of a rule, or of what the fleet itself watches (hall_dark, ledger, expiring, rollout). ``subject``:
    a terminal's number, or what else it is about. Open while ``ended_ms`` is None; one open alert for each subject.

    ``began_ms``: since when it stands; ``told_ms``: since when people are told (after the rule's time).
    """

    tenant_id: str
    place_id: int
    terminal_id: int | None
    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    rule = peewee.CharField(48)
    subject = peewee.CharField(80)
    place = peewee.ForeignKeyField(Place, on_delete="RESTRICT", index=True)
    terminal = peewee.ForeignKeyField(Terminal, null=True, on_delete="CASCADE", index=True)
    severity = peewee.CharField(8, default="warning")
    role = peewee.CharField(16, default="operator")
    runbook = peewee.CharField(80, default="")
    facts = JsonField(default=dict)
    began_ms = peewee.BigIntegerField()
    told_ms = peewee.BigIntegerField(null=True)
    ended_ms = peewee.BigIntegerField(null=True)
    acknowledged_ms = peewee.BigIntegerField(null=True)
    acknowledged_by = peewee.CharField(80, default="")
    note = peewee.TextField(default="")
    escalated_ms = peewee.BigIntegerField(null=True)

    class Meta:
        indexes = ((("tenant", "ended_ms", "rule"), False),)


class Silence(Row):
    """Maintenance: nobody is told of alerts below ``place`` (of one ``rule``, "" for all) until ``until_ms``."""

    place_id: int
    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    place = peewee.ForeignKeyField(Place, on_delete="CASCADE")
    rule = peewee.CharField(48, default="")
    from_ms = peewee.BigIntegerField()
    until_ms = peewee.BigIntegerField(index=True)
    by = peewee.CharField(80)
    why = peewee.TextField()


class Route(Row):
    """Who is told below ``place``: messages of this severity or above, in these hours of the city's day, go to ``url``
    (a webhook of the city's own SMS or mail gateway). ``after_s``: only when nobody acknowledged for so long.
    One without hours (from and to the same) was ended: it stays for what was told by it."""

    place_id: int
    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    place = peewee.ForeignKeyField(Place, on_delete="CASCADE")
    severity = peewee.CharField(8, default="warning")
    from_hour = peewee.IntegerField(default=0)
    to_hour = peewee.IntegerField(default=24)
    after_s = peewee.IntegerField(default=0)
    url = peewee.TextField()
    name = peewee.CharField(80)


class Delivery(Row):
    """One message to one route: sent once, tried again until it is taken or ``gave_up_ms``."""

    route_id: int
    tenant = peewee.ForeignKeyField(Tenant, on_delete="RESTRICT")
    alert = peewee.ForeignKeyField(Alert, on_delete="CASCADE")
    route = peewee.ForeignKeyField(Route, on_delete="CASCADE")
    made_ms = peewee.BigIntegerField()
    next_ms = peewee.BigIntegerField(null=True, index=True)
    tries = peewee.IntegerField(default=0)
    sent_ms = peewee.BigIntegerField(null=True)
    gave_up_ms = peewee.BigIntegerField(null=True)
    why = peewee.CharField(80, default="")

    class Meta:
        indexes = ((("alert", "route"), True),)
