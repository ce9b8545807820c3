"""Sandbox of the agency's duty desk: keeps calls and acknowledges them. ``docs/hosts/agency_duty.yaml``. INVENTED."""

from typing import Annotated

import msgspec

from simulators.hosts.sandbox import Ask, Part, Refusal, Reply, Route, Sandbox, json_reply, question, required_key
from simulators.hosts.sandbox import route as to

MINUTES_UNTIL_HELP = 3

_Word = Annotated[str, msgspec.Meta(max_length=80)]
_CaseCode = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Z]{4,12}$")]


class _Call(Part):
    place: _Word
    screen: _Word
    case_code: _CaseCode
    reason: _Word


class AgencyDutySandbox(Sandbox):
    name = "agency_duty"
    schema = """
        CREATE TABLE IF NOT EXISTS calls
            (key TEXT PRIMARY KEY, case_code TEXT, place TEXT, screen TEXT, reason TEXT, called_at TEXT)
    """

    def routes(self) -> list[Route]:
        return [to("POST", "/v1/calls", self._call)]

    def calls(self) -> list[tuple[str, str, str]]:
        """Every call so far, oldest first: case code, place, reason."""
        return self.books.execute("SELECT case_code, place, reason FROM calls ORDER BY rowid").fetchall()

    def _call(self, ask: Ask) -> Reply:
        if self.weather.nobody_at_desk:
            raise Refusal(503, "nobody_at_desk", "值班台无人")
        call = question(ask, _Call)
        self.books.execute(
            "INSERT OR IGNORE INTO calls VALUES (?, ?, ?, ?, ?, ?)",
            (required_key(ask), call.case_code, call.place, call.screen, call.reason, self.clock().isoformat()),
        )
        return json_reply({"case_code": call.case_code, "minutes": MINUTES_UNTIL_HELP}, 201)
