"""How the figures of alerts are read by people, and between which bounds a rule of a city may lie.

A bound outside is a slip of the hand: a disk that is full at no byte calls nobody, a terminal that is silent after a
second calls everybody.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from provisioning.rules.alerts import Rule

_HOUR, _DAY = 3600.0, 86_400.0
FOR_S_MAX = 7 * _DAY


@dataclass(frozen=True)
class Measure:
    """``unit``: in which people read it, each being ``per`` of the figure's own; "" where it is so or not so.
    ``least`` and ``most``: of a bound, in the figure's own unit."""

    unit: str
    per: float
    least: float
    most: float

    def read(self, bound: float) -> float:
        return bound / self.per


_SO_OR_NOT = Measure("", 1, 1, 1)
_AGE = Measure("hours", _HOUR, 60, 90 * _DAY)
_YUAN = Measure("yuan", 100, 100, 1e10)
_SHARE = Measure("percent", 1, 1, 100)

MEASURES: Mapping[str, Measure] = {
    "silent_s": _AGE,
    "not_serving": _SO_OR_NOT,
    "bad_slots": Measure("pieces", 1, 1, 20),
    "days_left": Measure("days", 1, 0, 60),
    "unsent_count": Measure("pieces", 1, 1, 1e6),
    "unsent_fen": _YUAN,
    "unsent_age_s": _AGE,
    "suspense_fen": _YUAN,
    "suspense_age_s": _AGE,
    "open_cases": Measure("pieces", 1, 1, 1000),
    "disk_free_bytes": Measure("megabytes", 1e6, 100e6, 1e12),
    "disk_wear_percent": _SHARE,
    "temperature_c": Measure("celsius", 1, 30, 110),
    "modem_signal_dbm": Measure("dbm", 1, -130, -30),
    "clock_wrong_s": Measure("seconds", 1, 5, _DAY),
    "rtc_battery_low": _SO_OR_NOT,
    "failed_percent": _SHARE,
    "keys_overdue": Measure("pieces", 1, 1, 20),
    "settings_trouble": _SO_OR_NOT,
}


def fits(rule: Rule) -> bool:
    """Whether it names a figure, and its bound and time are such as may be meant."""
    measure = MEASURES.get(rule.figure)
    if measure is None or not math.isfinite(rule.bound) or not math.isfinite(rule.for_s):
        return False
    return measure.least <= rule.bound <= measure.most and 0 <= rule.for_s <= FOR_S_MAX
