"""When a terminal may load and install an update: pure decisions over what the fleet wants and how the place is.

DDI says ``skip``, ``attempt`` or ``forced`` for each of loading and installing (hawkBit, DDI guide). ``attempt`` leaves
the hour to us: at night, spread by chance that is the terminal's own. ``forced`` is now; but never a full image over a
line that is paid by the byte. Whether a resident is served or money is under way is asked apart (money-rules 28).
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Literal

import msgspec

from provisioning.rules.desired import Desired

Wish = Literal["skip", "attempt", "forced"]
# A note of a DDI chunk (key; value "true"): the rollout says that its image may come over a line paid by the byte.
OVER_METERED = "over_metered"
HOUR = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The place's own hours, by its own clock. ``spread_share``: over how much of it terminals begin."""

    begins: Annotated[str, msgspec.Meta(pattern=HOUR)] = "01:00"
    ends: Annotated[str, msgspec.Meta(pattern=HOUR)] = "05:00"
    spread_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5


@dataclass(frozen=True)
class Answer:
    """``why`` is "" where it may be done: skip | night | metered | maintenance."""

    may: bool
    why: str = ""


GO = Answer(True)


def may_load(wish: Wish, now: datetime, window: Window, share: float, full_image: bool, metered: bool | None) -> Answer:
    """``now`` in the place's time. ``metered`` None: not known, and taken for yes. ``share``: ``share_of`` this
    terminal."""
    if wish == "skip":
        return Answer(False, "skip")
    if full_image and metered is not False:
        return Answer(False, "metered")
    if wish == "attempt" and not in_window(now, window, share):
        return Answer(False, "night")
    return GO


def line_is_metered(box: bool, desired: Desired | None, modem: bool | None) -> bool:
    """Whoever says so is believed: the box's own settings, the place where the fleet knows it (None: nothing was heard
    of it yet), or the machine, whose way out is a modem (None: it cannot tell)."""
    return box or modem is True or (desired is not None and desired.metered)


def may_install(wish: Wish, maintenance: str, now: datetime, window: Window, share: float) -> Answer:
    """``maintenance``: available | unavailable | "" as DDI tells it, which goes before our own hours."""
    if wish == "skip":
        return Answer(False, "skip")
    if maintenance == "unavailable":
        return Answer(False, "maintenance")
    if not maintenance and wish == "attempt" and not in_window(now, window, share):
        return Answer(False, "night")
    return GO


def share_of(terminal_id: str, about: str) -> float:
    """Between 0 and 1, the same at each asking and another for each terminal: a hall does not load at one moment."""
    digest = hashlib.sha256(f"{terminal_id} {about}".encode()).digest()
    return int.from_bytes(digest[:6]) / float(1 << 48)


def in_window(now: datetime, window: Window, share: float) -> bool:
    """Whether ``now`` lies in the window, less this terminal's part at its beginning. It may go over midnight."""
    begins, ends = _minutes(window.begins), _minutes(window.ends)
    long = (ends - begins) % 1440 or 1440
    since = (now.hour * 60 + now.minute - begins) % 1440
    return long * window.spread_share * share <= since < long


def next_begin(now: datetime, window: Window, share: float) -> datetime:
    """The next moment at which this terminal's part begins; ``now`` where it has begun."""
    if in_window(now, window, share):
        return now
    begins, ends = _minutes(window.begins), _minutes(window.ends)
    long = (ends - begins) % 1440 or 1440
    offset = timedelta(minutes=begins + long * window.spread_share * share)
    midnight = datetime.combine(now.date(), time(), now.tzinfo)
    found = (midnight + timedelta(days=days) + offset for days in (-1, 0, 1))
    return next(moment for moment in found if moment > now)


def _minutes(hour: str) -> int:
    return int(hour[:2]) * 60 + int(hour[3:])
