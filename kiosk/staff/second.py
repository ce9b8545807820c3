"""The second of two people (money-rules 30): another id, a supervisor, within a day; the same words whoever asks."""

from datetime import datetime

from kiosk.domain.entries import StoredEntry
from kiosk.domain.staff import StaffRole
from kiosk.domain.text import Text, say
from kiosk.ports.staff import StaffKiosk
from kiosk.staff.visit import OnDuty


def may_not_approve(duty: OnDuty, first: str) -> Text | None:
    """Why this person may not approve what ``first`` (a staff id) did."""
    if first == duty.staff.staff_id:
        return say("You did it yourself")
    if duty.staff.role is not StaffRole.SUPERVISOR:
        return say("Only a supervisor approves")
    return None


def too_old(kiosk: StaffKiosk, entry: StoredEntry, seconds: float = 0.0) -> bool:
    """Whether what waits has waited too long, by the latest time that anything here knows (rule 5)."""
    now, latest = kiosk.clock.now(), kiosk.books.high_water()
    moment = max(now, latest) if latest else now
    age_s = (moment - datetime.fromisoformat(entry.at)).total_seconds()
    return age_s > (seconds or kiosk.settings.staff.approve_age_s_max)
