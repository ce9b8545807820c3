"""From a template and values to a page."""

from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from kiosk.domain.money import Fen, yuan
from provisioning.fleet.console import nav, words
from provisioning.fleet.console.visit import Visit

TEMPLATES = Path(__file__).with_name("templates")
TIME_ZONE = "Asia/Shanghai"
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000


def show(visit: Visit, template: str, **values: Any) -> HTMLResponse:
    """The page in the reader's language, with status 200."""
    clock = Clock(visit)
    parts = nav.parts(visit) if visit.tenant is not None else []
    shared = {"visit": visit, "say": visit.say, "clock": clock, "word": Words(visit), "yuan": _yuan, "parts": parts}
    return HTMLResponse(_environment().get_template(template).render(**shared, **values))


class Words:
    """Codes of tables in words: ``word.role("viewer")``."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    def __getattr__(self, kind: str) -> Any:
        return lambda code: words.of(kind, code, self._visit.language)


class Clock:
    """Times as this city reads them."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        zone = visit.tenant.settings.get("time_zone", TIME_ZONE) if visit.tenant else TIME_ZONE
        self._zone = ZoneInfo(zone)

    def iso(self, at_ms: int) -> str:
        return self._local(at_ms).isoformat(timespec="seconds")

    def day_and_time(self, at_ms: int) -> str:
        """Today without its date."""
        then, now = self._local(at_ms), self._local(self._visit.at_ms)
        return f"{then:%H:%M:%S}" if then.date() == now.date() else f"{then:%Y-%m-%d %H:%M}"

    def day(self, at_ms: int) -> str:
        return f"{self._local(at_ms):%Y-%m-%d}"

    def ago(self, at_ms: int) -> str:
        """How long since; a time ahead of ours is "just now"."""
        return self.span(max(0, self._visit.at_ms - at_ms))

    def until(self, at_ms: int) -> str:
        return self.span(max(0, at_ms - self._visit.at_ms))

    def span(self, length_ms: int) -> str:
        """In its largest unit."""
        if length_ms < MINUTE_MS:
            return self._visit.say("{n} s", n=length_ms // 1000)
        if length_ms < HOUR_MS:
            return self._visit.say("{n} min", n=length_ms // MINUTE_MS)
        if length_ms < 2 * DAY_MS:
            return self._visit.say("{n} h", n=length_ms // HOUR_MS)
        return self._visit.say("{n} days", n=length_ms // DAY_MS)

    def of_text(self, iso: str) -> int | None:
        """Milliseconds of a time on the wire; None where it is none."""
        try:
            return int(datetime.fromisoformat(iso).timestamp() * 1000)
        except ValueError:
            return None

    def _local(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(self._zone)


def _yuan(fen: int) -> str:
    return f"¥ {yuan(Fen(fen))}"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
