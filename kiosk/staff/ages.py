"""How long ago something was, as staff read it."""

from datetime import datetime

from kiosk.domain.text import Text, say
from kiosk.ports.staff import StaffKiosk


def age(kiosk: StaffKiosk, since: str) -> Text:
    """How long ago an ISO time is, in the unit that tells most."""
    minutes = max(0, int((kiosk.clock.now() - datetime.fromisoformat(since)).total_seconds())) // 60
    if minutes < 120:
        return say("{count} minutes", count=minutes)
    if minutes < 48 * 60:
        return say("{count} hours", count=minutes // 60)
    return say("{count} days", count=minutes // (24 * 60))
