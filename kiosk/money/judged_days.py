"""With which days' details an act without an outcome is judged, also where the clock does not say when it was done.

That the final detail of a day lacks an act proves that it was not booked on that day, and no more (money-rules 10). A
clock that was set while the act was open, or that a host contradicted, makes its day unsure. Then it was booked, if at
all, between the newest day that the hospital had called final before and a day on which a host confirmed our clock
while the act was open already: only the details of all of them together prove that it was not.
"""

from collections.abc import Callable
from datetime import date, datetime
from itertools import pairwise

from kiosk.domain.entries import JournalBusy, NewEntry, StoredEntry
from kiosk.money.platform_acts import GRACE, judged_on
from kiosk.ports import Clock, Journal

RECONCILED = "reconciled"
UNSURE, CONTRADICTED = "effect_day_unsure", "clock_contradicted"
LOOKED_AT_MAX = 30  # of reconciled days, and of acts whose day is unsure


def judged_days(journal: Journal, clock: Clock, intent: StoredEntry) -> tuple[date, date] | None:
    """The first and the last; None: the last is not known before ``call_unsure``."""
    anchor = _anchor(journal, intent)
    day = judged_on(intent.at)
    if not _clock_moved(journal, clock, anchor[0] if anchor else 0):
        return day, day
    marks = (entry.facts or {} for entry in journal.newest(LOOKED_AT_MAX, UNSURE, since=intent.seq))
    last = next((date.fromisoformat(str(told["day"])) for told in marks if told.get("intent") == intent.seq), None)
    return None if last is None else (min(anchor[1] if anchor else day, last), last)


def call_unsure(journal: Journal, clock: Clock, intent: StoredEntry) -> None:
    """Now, when a host confirms our clock, the act is open: it was not booked after today."""
    facts: dict[str, str | int] = {"intent": intent.seq, "day": judged_on(clock.now()).isoformat()}
    journal.commit(NewEntry(UNSURE, intent.case_code, facts))


def note_contradicted(journal: Journal) -> Callable[[float], None]:
    """To be told by a link how far a host's clock is ahead of ours: each time that it begins to be too far is a row."""
    wrong = False

    def told(skew_s: float) -> None:
        nonlocal wrong
        is_wrong = abs(skew_s) > GRACE.total_seconds()
        if is_wrong and not wrong:
            try:
                journal.record(CONTRADICTED, ahead_s=round(skew_s))
            except JournalBusy:
                return  # the next answer says so again
        wrong = is_wrong

    return told


def _anchor(journal: Journal, intent: StoredEntry) -> tuple[int, date] | None:
    """The newest of the latest days that were final when the act began: its row, and the day. Whatever our clock said,
    a host calls no day final that is not over."""
    rows = [row for row in journal.newest(LOOKED_AT_MAX, RECONCILED, before=intent.seq) if row.facts]
    days = [(date.fromisoformat(str((row.facts or {})["day"])), row.seq) for row in rows]
    day, seq = max(days, default=(None, 0))
    return None if day is None else (seq, day)


def _clock_moved(journal: Journal, clock: Clock, since: int) -> bool:
    """Whether it went back since this row, or a host ever said that it is wrong."""
    moments = [datetime.fromisoformat(at) for at in journal.moments(since)]
    if any(later < before - GRACE for before, later in pairwise([*moments, clock.now()])):
        return True
    return bool(journal.newest(1, CONTRADICTED, since=since))
