"""Client of the agency's duty desk."""

from kiosk.hosts.agency import codec
from kiosk.hosts.answers import understood
from kiosk.ports import HostLink, StaffAcknowledgement

HOST = "agency_duty"


class AgencyDutyClient:
    """Implements ``ports.AgencyDuty``."""

    def __init__(self, link: HostLink) -> None:
        self._link = link

    async def call_staff(self, place: str, screen: str, case_code: str, reason: str) -> StaffAcknowledgement:
        """The case code is the key: calling twice for one case is one call at the desk."""
        body = codec.call_request(place, screen, case_code, reason)
        answer = await self._link.call("POST", codec.CALLS_PATH, body=body, key=case_code)
        return StaffAcknowledgement(understood(HOST, lambda: codec.minutes_until_help(answer.body)))
