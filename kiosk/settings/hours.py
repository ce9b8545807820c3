"""Table ``hours`` of the settings: when residents are served, and when that changes next."""

import re
from datetime import datetime, timedelta
from math import inf

import msgspec

LOOK_AGAIN_S_MAX = 600.0  # the wall clock may be set meanwhile


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When residents are served, by the terminal's clock. Empty: always."""

    opens: str = ""  # "08:30"
    closes: str = ""
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)  # Monday is 1


def hours_rules(hours: Hours) -> list[tuple[bool, str]]:
    """What must hold of the table."""
    return [(_are_hours(hours), "hours has opens and closes as HH:MM, opens first, and weekdays from 1 to 7")]


def _are_hours(hours: Hours) -> bool:
    days = bool(hours.weekdays) and set(hours.weekdays) <= set(range(1, 8))
    if not hours.opens and not hours.closes:
        return days
    shape = all(re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", one) for one in (hours.opens, hours.closes))
    return days and shape and hours.opens < hours.closes


def open_at(hours: Hours, now: datetime) -> bool:
    if not hours.opens:
        return now.isoweekday() in hours.weekdays
    return now.isoweekday() in hours.weekdays and hours.opens <= f"{now:%H:%M}" < hours.closes


def until_next(hours: Hours, now: datetime) -> float:
    """Seconds until it may be another answer; ``inf`` where it is always the same."""
    if hours == Hours():
        return inf
    marks = [_at(now, one) for one in (hours.opens, hours.closes) if one]
    midnight = _at(now, "00:00") + timedelta(days=1)
    left = min((mark - now).total_seconds() for mark in (*marks, midnight) if mark > now)
    return min(left + 0.5, LOOK_AGAIN_S_MAX)


def _at(day: datetime, clock: str) -> datetime:
    hour, minute = (int(part) for part in clock.split(":"))
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)
