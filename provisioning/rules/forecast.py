"""How long paper and room for notes will last, at the pace of the last two weeks."""

from datetime import date, timedelta

import msgspec

DAYS = 14
DAYS_MIN = 2  # before that it would be guessing


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """What one consumable lost, day by day (ISO dates), and since it was full. ``last``: the newest count told; of
    paper, whether it was low."""

    days: dict[str, int] = {}
    since_full: int = 0
    last: int = 0


def add(track: Track, today: date, used: int, *, refilled: bool = False) -> Track:
    """``used``: since the last call. Days before the two weeks are forgotten, and days after today: the clock was
    wrong then."""
    first, key = (today - timedelta(days=DAYS)).isoformat(), today.isoformat()
    days = {day: count for day, count in track.days.items() if first <= day <= key}
    days[key] = days.get(key, 0) + max(0, used)
    return msgspec.structs.replace(track, days=days, since_full=max(0, used) + (0 if refilled else track.since_full))


def counted(track: Track, today: date, count: int) -> Track:
    """A place that counts what is in it: what came in was used of its room; where it is less, it was emptied."""
    emptied = count < track.last
    used = count if emptied else count - track.last
    return msgspec.structs.replace(add(track, today, used, refilled=emptied), last=count)


def reloaded(track: Track, low: bool) -> Track:
    """Paper that was low and is no longer: somebody put a full roll or stack in."""
    full = bool(track.last) and not low
    return msgspec.structs.replace(track, last=int(low), since_full=0 if full else track.since_full)


def of_today(track: Track, today: date, used_today: int) -> Track:
    """A count that begins anew every midnight. It is never less than before on one day, else it is another day's."""
    before = track.days.get(today.isoformat(), 0)
    return add(track, today, used_today - before)


def days_left(track: Track, left: int, today: date) -> float | None:
    """None: too little is known, or nothing is ever used."""
    if len(track.days) < DAYS_MIN:
        return None
    first = date.fromisoformat(min(track.days))
    pace = sum(track.days.values()) / max(1, (today - first).days + 1)
    return round(left / pace, 1) if pace else None
