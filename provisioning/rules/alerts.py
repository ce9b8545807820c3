"""What is worth a person's attention: rules over what a terminal last told, pure and without IO.

A rule names a figure and a bound. A figure that cannot be told (no report, no such device) neither raises nor ends an
alert: "unknown" is not "fine". Each rule says who is meant and which page of the runbook helps.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec

from provisioning.rules.poll import Health

BAD = ("fault", "absent", "unknown")  # conditions of a slot that a person must see to
RUNBOOK = "runbook/alerts.md"  # a section for each
SESSIONS_MIN = 20  # below it a share of failed interactions says nothing
GRAVES = ("notice", "warning", "urgent")  # plan it, look into it, at once
Severity = Annotated[str, msgspec.Meta(pattern="^(notice|warning|urgent)$")]


@dataclass(frozen=True)
class Observed:
    """A terminal as it is known. ``silent_s``: since it was last heard; ``health``: its newest report or None."""

    silent_s: float
    now: datetime
    health: Health | None
    desired_trouble: str = ""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Raised while ``figure`` is at or beyond ``bound``; ``below``: while it is at or under it. ``for_s``: so long it
    must stand before anybody is told. ``role``: of whom it concerns; ``runbook``: path below docs/."""

    name: str
    figure: str
    bound: float
    below: bool = False
    for_s: float = 0.0
    severity: Severity = "warning"
    role: str = "operator"
    runbook: str = RUNBOOK


def raised(rule: Rule, seen: Observed) -> bool | None:
    """None: cannot be told.

    Raises:
        KeyError: there is no such figure.
    """
    value = FIGURES[rule.figure](seen)
    if value is None:
        return None
    return value <= rule.bound if rule.below else value >= rule.bound


def _of_health(read: Callable[[Health], float | None]) -> Callable[[Observed], float | None]:
    return lambda seen: None if seen.health is None else read(seen.health)


def _age_s(read: Callable[[Health], str]) -> Callable[[Observed], float | None]:
    """Of a moment by the terminal's clock, which may be wrong: an age below nothing is none."""

    def age(seen: Observed) -> float | None:
        if seen.health is None or seen.health.money is None:
            return None
        told = read(seen.health)
        if not told:
            return 0.0
        try:
            return max(0.0, (seen.now - datetime.fromisoformat(told)).total_seconds())
        except (ValueError, TypeError):
            return None

    return age


def _money(name: str) -> Callable[[Observed], float | None]:
    return _of_health(lambda health: None if health.money is None else float(getattr(health.money, name)))


def _machine(name: str) -> Callable[[Observed], float | None]:
    return _of_health(lambda health: getattr(health.machine, name))


def _days_left(health: Health) -> float | None:
    known = [one.days_left for one in health.consumables.values() if one.days_left is not None]
    return min(known, default=None)


def _failed_percent(health: Health) -> float | None:
    use = health.use
    return 100 * use.failed_interactions / use.sessions if use.sessions >= SESSIONS_MIN else None


def _clock(health: Health) -> float | None:
    offset = health.machine.clock_offset_ms
    return None if offset is None else abs(offset) / 1000


def _keys_overdue(health: Health) -> float | None:
    """How many kinds of working keys are older than they may be, or not there at all; None: it has none to tell of."""
    told = health.keys.values()
    return float(sum(one.age_s is None or one.age_s > one.age_s_max for one in told)) if told else None


FIGURES: Mapping[str, Callable[[Observed], float | None]] = {
    "silent_s": lambda seen: seen.silent_s,
    "not_serving": _of_health(lambda health: 0.0 if health.serving else 1.0),
    "bad_slots": _of_health(lambda health: float(sum(slot.condition in BAD for slot in health.slots.values()))),
    "days_left": _of_health(_days_left),
    "unsent_count": _money("unsent_count"),
    "unsent_fen": _money("unsent_fen"),
    "unsent_age_s": _age_s(lambda health: health.money.unsent_oldest if health.money else ""),
    "suspense_fen": _money("suspense_fen"),
    "suspense_age_s": _age_s(lambda health: health.money.suspense_oldest if health.money else ""),
    "open_cases": _money("open_cases"),
    "disk_free_bytes": _machine("disk_free_bytes"),
    "disk_wear_percent": _machine("disk_wear_percent"),
    "temperature_c": _machine("temperature_c"),
    "modem_signal_dbm": _machine("modem_signal_dbm"),
    "clock_wrong_s": _of_health(_clock),
    "rtc_battery_low": _of_health(lambda health: _flag(health.machine.rtc_battery, ("low", "none"))),
    "failed_percent": _of_health(_failed_percent),
    "keys_overdue": _of_health(_keys_overdue),
    "settings_trouble": lambda seen: 1.0 if seen.desired_trouble else 0.0,
}


def _flag(value: str | None, bad: tuple[str, ...]) -> float | None:
    return None if value is None else float(value in bad)


_HOUR, _DAY = 3600.0, 86_400.0
# What a new city begins with; each may change its own. A village is dark for days: its silence is told late.
DEFAULTS: tuple[Rule, ...] = (
    Rule(name="silent", figure="silent_s", bound=2 * _HOUR),
    Rule(name="silent_long", figure="silent_s", bound=7 * _DAY, severity="urgent"),
    Rule(name="not_serving", figure="not_serving", bound=1, for_s=600, severity="urgent"),
    Rule(name="device", figure="bad_slots", bound=1, for_s=900),
    Rule(name="running_out", figure="days_left", bound=2, below=True),
    Rule(name="unsent_old", figure="unsent_age_s", bound=2 * _DAY),
    Rule(
        name="suspense_old", figure="suspense_age_s", bound=_DAY, severity="urgent", role="auditor",
    ),
    Rule(name="disk_full", figure="disk_free_bytes", bound=500e6, below=True, severity="urgent"),
    Rule(name="disk_worn", figure="disk_wear_percent", bound=80),
    Rule(name="hot", figure="temperature_c", bound=75, for_s=600),
    Rule(name="clock", figure="clock_wrong_s", bound=120, for_s=600),
    Rule(name="rtc_battery", figure="rtc_battery_low", bound=1),
    Rule(name="failed_interactions", figure="failed_percent", bound=10),
    Rule(name="working_keys", figure="keys_overdue", bound=1, for_s=_HOUR),
    Rule(name="settings", figure="settings_trouble", bound=1, for_s=600),
)  # fmt: skip


@dataclass(frozen=True)
class Hall:
    """How many of a hall's terminals there are, and how many are silent."""

    terminals: int
    silent: int


GROUP_MIN = 2
GROUP_SHARE = 0.8


def dark_together(halls: Mapping[int, Hall]) -> set[int]:
    """Halls whose terminals are silent together: that is one cause (line, power) and one call, not one a terminal."""
    return {
        place
        for place, hall in halls.items()
        if hall.silent >= GROUP_MIN and hall.silent >= GROUP_SHARE * hall.terminals
    }


def named(rules: Iterable[Rule]) -> dict[str, Rule]:
    return {rule.name: rule for rule in rules}
