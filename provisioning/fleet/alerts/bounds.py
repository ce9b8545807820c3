"""The bounds of a city's alerts: what is in force, and changes of it by who runs the city's places."""

from dataclasses import dataclass

import msgspec

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, Refused
from provisioning.fleet.database import step
from provisioning.fleet.enrolment.places import must_be_allowed
from provisioning.fleet.people.persons import root as root_of
from provisioning.fleet.schema.alerts import AlertRule
from provisioning.rules.alert_bounds import fits
from provisioning.rules.alerts import DEFAULTS, Rule, named


@dataclass(frozen=True)
class Known:
    """A rule as this city has it. ``usual``: what a new city begins with, None for one of its own making.
    ``changed_ms`` 0: nobody ever changed it."""

    rule: Rule
    enabled: bool
    usual: Rule | None
    changed_by: str = ""
    changed_ms: int = 0


def rules(actor: Actor) -> list[Known]:
    """Every rule, in force or not: the usual ones in their order, then the city's own."""
    usual = named(DEFAULTS)
    own = {row.name: row for row in AlertRule.select().where(AlertRule.tenant == actor.tenant).order_by(AlertRule.name)}
    names = [*usual, *(name for name in own if name not in usual)]
    return [_known(own[name], usual.get(name)) if name in own else Known(usual[name], True, usual[name])
            for name in names]  # fmt: skip


def change_rule(actor: Actor, rule: Rule, enabled: bool, why: str, at_ms: int) -> None:
    """A bound of this city's own, by who runs its places.

    Raises:
        Refused: not theirs; no such figure; a bound or time that cannot be meant; no reason.
    """
    must_be_allowed(actor, "places", root_of(actor.tenant))
    if not why.strip():
        raise Refused("no_reason", "Say why: whoever is not called at night will ask.")
    if not fits(rule):
        raise Refused("bad_rule", "Nobody can mean such a bound or time. Look at what is usual.")
    with step():
        told = {"rule": msgspec.to_builtins(rule), "enabled": enabled, "changed_by": actor.who, "changed_ms": at_ms}
        AlertRule.insert(tenant=actor.tenant, name=rule.name, **told).on_conflict(
            conflict_target=[AlertRule.tenant, AlertRule.name], update=told
        ).execute()
        audit.record(actor, at_ms, "alert_rule", rule.name, why, told)


def _known(row: AlertRule, usual: Rule | None) -> Known:
    return Known(msgspec.convert(row.rule, Rule), bool(row.enabled), usual, str(row.changed_by), int(row.changed_ms))
