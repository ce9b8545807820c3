"""Finds what wants a person: each look takes some terminals, so that a large city never holds up its polls.

An alert begins when its rule is raised and is told once that stood for the rule's time; it ends by itself when the
figure is good again. When a hall's terminals are silent together there is one alert, of the hall.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from peewee import JOIN

from provisioning.fleet.database import step
from provisioning.fleet.schema.alerts import Alert, AlertRule
from provisioning.fleet.schema.places import Place, Tenant
from provisioning.fleet.schema.terminals import Terminal, TerminalHealth
from provisioning.rules.alerts import DEFAULTS, Hall, Observed, Rule, dark_together, raised
from provisioning.rules.poll import Health

TERMINALS_A_LOOK = 500
SILENT, HALL_DARK = "silent", "hall_dark"


@dataclass(frozen=True)
class Seen:
    """One terminal of a look."""

    key: int
    terminal_id: str
    place: int
    observed: Observed


@dataclass
class Watch:
    """Of one process and city. ``look`` goes on where the last one ended."""

    tenant: str
    _after: int = 0
    _halls: dict[int, list[bool]] = field(default_factory=dict)  # of this round: which terminals are silent

    def look(self, at_ms: int) -> bool:
        """At the next terminals; whether the round is complete. Touches the database."""
        rules = rules_of(self.tenant)
        seen = _next(self.tenant, self._after, at_ms)
        with step():
            _settle(self.tenant, seen, rules, at_ms)
            self._note_silence(seen, rules)
            if len(seen) == TERMINALS_A_LOOK:
                self._after = seen[-1].key
                return False
            halls = {place: Hall(len(silent), sum(silent)) for place, silent in self._halls.items()}
            _settle_halls(self.tenant, dark_together(halls), halls, at_ms)
            _end_of_gone(self.tenant, at_ms)
        self._after, self._halls = 0, {}
        return True

    def _note_silence(self, seen: Iterable[Seen], rules: Mapping[str, Rule]) -> None:
        rule = rules.get(SILENT)
        for one in seen:
            silent = rule is not None and bool(raised(rule, one.observed))
            self._halls.setdefault(one.place, []).append(silent)


def rules_of(tenant: str) -> dict[str, Rule]:
    """In force; a new city begins with ``DEFAULTS``."""
    own = {row.name: row for row in AlertRule.select().where(AlertRule.tenant == tenant)}
    rules = {rule.name: rule for rule in DEFAULTS if rule.name not in own}
    return rules | {name: msgspec.convert(row.rule, Rule) for name, row in own.items() if row.enabled}


def _next(tenant: str, after: int, at_ms: int) -> list[Seen]:
    health = (TerminalHealth.seen_ms, TerminalHealth.report, TerminalHealth.desired_trouble)
    rows: Any = (
        Terminal.select(Terminal.id, Terminal.terminal_id, Terminal.place, *health)
        .join(TerminalHealth, JOIN.LEFT_OUTER, on=TerminalHealth.terminal == Terminal.id)
        .where((Terminal.tenant == tenant) & (Terminal.state == "active") & (Terminal.id > after))
        .where(TerminalHealth.seen_ms.is_null(False))  # never heard yet: that is enrolment's affair
        .order_by(Terminal.id)
        .limit(TERMINALS_A_LOOK)
    )
    return [_seen(at_ms, *row) for row in rows.tuples()]


def _seen(at_ms: int, key: int, name: str, place: int, seen_ms: int, report: Any, trouble: str) -> Seen:
    try:
        health = msgspec.convert(report, Health) if report else None
    except msgspec.ValidationError:
        health = None  # of a version that nobody here understands: unknown, not fine
    now = datetime.fromtimestamp(at_ms / 1000, UTC)
    return Seen(key, name, place, Observed(max(0.0, (at_ms - seen_ms) / 1000), now, health, trouble or ""))


def _settle(tenant: str, seen: Sequence[Seen], rules: Mapping[str, Rule], at_ms: int) -> None:
    """Begin, tell and end the alerts of these terminals."""
    keys = [one.key for one in seen]
    mine = (Alert.tenant == tenant) & Alert.ended_ms.is_null() & Alert.terminal.in_(keys)
    open_ = {(int(one.terminal_id or 0), str(one.rule)): one for one in Alert.select().where(mine)}
    dark = {row.place_id for row in _open(tenant, HALL_DARK)}
    for one in seen:
        for rule in rules.values():
            alert = open_.pop((one.key, rule.name), None)
            if alert is not None and alert.place_id != one.place:  # whoever works where it stands now is told
                Alert.update(place=one.place).where(Alert.id == alert.id).execute()
            up = raised(rule, one.observed)
            if rule.figure == "silent_s" and one.place in dark:
                up = False  # one call for the hall
            if up and alert is None:
                about = {"terminal": one.key, "place": one.place, "subject": one.terminal_id}
                begin(tenant, rule, at_ms, told=rule.for_s <= 0, **about)
            elif up and alert is not None and alert.told_ms is None and at_ms - alert.began_ms >= rule.for_s * 1000:
                Alert.update(told_ms=at_ms).where(Alert.id == alert.id).execute()
            elif up is False and alert is not None:
                end([alert], at_ms)
    end(open_.values(), at_ms)  # of rules that are no more


def _end_of_gone(tenant: str, at_ms: int) -> None:
    """Alerts of terminals that were stopped or retired: nobody waits for those any more."""
    gone = Terminal.select(Terminal.id).where((Terminal.tenant == tenant) & (Terminal.state != "active"))
    theirs = (Alert.tenant == tenant) & Alert.ended_ms.is_null() & Alert.terminal.in_(gone)
    end(list(Alert.select().where(theirs)), at_ms)


def _settle_halls(tenant: str, dark: set[int], halls: Mapping[int, Hall], at_ms: int) -> None:
    open_ = {row.place_id: row for row in _open(tenant, HALL_DARK)}
    end([alert for place, alert in open_.items() if place not in dark], at_ms)
    for place in dark - open_.keys():
        rule = Rule(name=HALL_DARK, figure="silent_s", bound=0, severity="urgent")
        facts = {"terminals": halls[place].terminals, "silent": halls[place].silent}
        subject = f"place {place}"
        begin(tenant, rule, at_ms, told=True, place=place, subject=subject, facts=facts)
        alone = (Alert.tenant == tenant) & (Alert.rule == SILENT) & (Alert.place == place) & Alert.ended_ms.is_null()
        end(list(Alert.select().where(alone)), at_ms)


def begin(tenant: str, rule: Rule, at_ms: int, *, told: bool, **about: Any) -> None:
    """``about``: place, subject, and perhaps terminal and facts. Inside a step."""
    fields = {"rule": rule.name, "severity": rule.severity, "role": rule.role, "runbook": rule.runbook}
    Alert.create(tenant=tenant, began_ms=at_ms, told_ms=at_ms if told else None, **fields, **about)


def end(alerts: Iterable[Alert], at_ms: int) -> None:
    for alert in alerts:
        if alert.told_ms is None:
            Alert.delete().where(Alert.id == alert.id).execute()  # nobody ever heard of it
        else:
            Alert.update(ended_ms=at_ms).where(Alert.id == alert.id).execute()


def _open(tenant: str, rule: str) -> list[Alert]:
    return list(Alert.select().where((Alert.tenant == tenant) & (Alert.rule == rule) & Alert.ended_ms.is_null()))


def counted(tenant: str) -> Counter[str]:
    """Open and told, by severity: for the overview."""
    told = (Alert.tenant == tenant) & Alert.ended_ms.is_null() & Alert.told_ms.is_null(False)
    return Counter(row.severity for row in Alert.select(Alert.severity).where(told))


def cities() -> list[str]:
    return [row.code for row in Tenant.select(Tenant.code).order_by(Tenant.code)]


def place_of_city(tenant: str) -> int:
    """The root of its places."""
    root = Place.get((Place.tenant == tenant) & Place.parent.is_null())
    return int(root.id)
