"""Requests and answers of the duty desk interface, ``docs/hosts/agency_duty.yaml``. No IO. INVENTED."""

from typing import Annotated, Any

import msgspec

from kiosk.hosts.shape import Part, read

CALLS_PATH = "/v1/calls"

_Minutes = Annotated[int, msgspec.Meta(ge=0, le=240)]


class _Acknowledgement(Part):
    case_code: str
    minutes: _Minutes


def call_request(place: str, screen: str, case_code: str, reason: str) -> dict[str, Any]:
    """Body of ``POST /v1/calls``. Says where and why, never who."""
    return {"place": place, "screen": screen, "case_code": case_code, "reason": reason}


def minutes_until_help(body: Any) -> int:
    """Answer of ``POST /v1/calls``: somebody comes within so many minutes. Raises BadShape."""
    return read(body, _Acknowledgement).minutes
