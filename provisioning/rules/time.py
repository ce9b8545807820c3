"""What time it is at least, where no single clock can be believed. Pure; all moments carry a zone.

A battery dies and the board says 1970; a terminal was off for 400 days. What we know for certain is that it is not
earlier than anything that has happened already: the build of the program, the newest row of the journal, the newest
document that somebody signed. The fleet's word goes further: it may also put back a clock that ran ahead, though never
behind the build and what was signed. Money does not hang on it: limits use the journal's high water (money-rules 5).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

BEHIND_MAX = timedelta(seconds=2)  # a difference that is not worth a step: a round trip, a slow board
TIMESTAMP_DAYS = 14  # of TUF timestamp metadata, as the fleet signs it (provisioning/fleet/updates/publish.py)
TRUSTED_AHEAD_MAX = timedelta(minutes=5)


@dataclass(frozen=True)
class Moments:
    """What is known on the terminal. ``board``: its clock now. None: there is no such thing yet."""

    board: datetime
    build: datetime
    last_entry: datetime | None = None
    signed: datetime | None = None  # when the newest document or TUF metadata was issued


@dataclass(frozen=True)
class Reading:
    """``now``: what is to be taken as the time; ``step``: whether the board's clock must be put there; ``believed``:
    whether it may be right to the minute, or is only a lower bound."""

    now: datetime
    step: bool
    believed: bool


def read_alone(known: Moments, board_runs: bool) -> Reading:
    """Without a line. ``board_runs``: the board's clock has a battery that is not known to be empty."""
    least = max(one for one in (known.build, known.last_entry, known.signed) if one is not None)
    if known.board >= least:
        return Reading(known.board, step=False, believed=board_runs)
    return Reading(least, step=True, believed=False)


def read_told(known: Moments, fleet: datetime) -> Reading:
    """With the fleet's word, over a connection that proved itself by its key. A fleet that is behind what was signed is
    not believed."""
    floor = max(one for one in (known.build, known.signed) if one is not None)
    if fleet < floor - TRUSTED_AHEAD_MAX:
        return read_alone(known, board_runs=False)
    now = max(fleet, floor)
    return Reading(now, step=abs(known.board - now) > BEHIND_MAX, believed=True)
