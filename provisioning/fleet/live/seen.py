"""What terminals told, gathered for a second and written together: thousands of polls, a few statements.

A crash loses at most what was gathered since the last writing; terminals tell their health again within the hour, and
answers of commands never pass through here. Where nothing can be written, polls are refused once ``STALE_S`` or
``REPORTS_MAX`` is reached, rather than answered as if they had been heard.
"""

from dataclasses import dataclass, field

import msgspec

from provisioning.fleet.live.write_seen import write
from provisioning.rules.poll import Health, PollQuestion

REPORTS_MAX = 20_000  # terminals; about 20 MB of reports
STALE_S = 20.0
INT_MAX = 2**31 - 1
TROUBLE_MAX = 200


@dataclass(slots=True)
class Seen:
    """The newest of one terminal. ``report``: of ``Health`` as JSON, or None where it told none since the last writing.

    ``changed``: names of settings. ``sums``: unsent count, unsent fen, suspense fen; None where the journal said none.
    """

    terminal: int
    city: str
    at_ms: int
    epoch: int
    desired_version: int
    desired_trouble: str
    report: bytes | None = None
    serving: bool = False
    sums: tuple[int | None, int | None, int | None] = (None, None, None)
    version: str = ""
    changed: tuple[str, ...] = ()


@dataclass
class Gathered:
    """Filled by the loop, emptied by one writing thread: both swap or touch the dictionary in single steps."""

    _rows: dict[int, Seen] = field(default_factory=dict)
    _since_ms: int = 0

    def hear(self, terminal: int, city: str, at_ms: int, question: PollQuestion) -> None:
        """Note one poll; a report of the same second is not forgotten for a later poll without one."""
        row = Seen(
            terminal,
            city,
            at_ms,
            min(question.epoch, INT_MAX),
            min(question.desired_version, INT_MAX),
            _text(question.desired_trouble),
        )
        row.changed = tuple(map(_text, question.desired_changed))
        if question.health is not None:
            _tell(row, question.health)
        elif (before := self._rows.get(terminal)) is not None:
            row.report, row.serving, row.sums, row.version = before.report, before.serving, before.sums, before.version
        if not self._rows:
            self._since_ms = at_ms
        self._rows[terminal] = row

    def full(self, at_ms: int) -> bool:
        waited_ms = at_ms - self._since_ms if self._rows else 0
        return len(self._rows) >= REPORTS_MAX or waited_ms > STALE_S * 1000

    def flush(self) -> int:
        """Write what was gathered; how many terminals. Touches the database.

        Raises:
            peewee.PeeweeException: it was not written, and is kept for the next time.
        """
        rows, self._rows = self._rows, {}
        if not rows:
            return 0
        try:
            write([rows[key] for key in sorted(rows)])  # in one order everywhere: two processes never wait in a circle
        except BaseException:
            self._rows = {**rows, **self._rows}
            raise
        return len(rows)


def _tell(row: Seen, health: Health) -> None:
    row.report = msgspec.json.encode(health)
    row.serving = health.serving
    row.version = _text(health.versions.get("kiosk", ""))
    if (money := health.money) is not None:
        row.sums = (min(money.unsent_count, INT_MAX), money.unsent_fen, money.suspense_fen)


def _text(words: str) -> str:
    """PostgreSQL takes no NUL in a text; one of them must not hold up everybody's writing."""
    return words.replace("\0", "")[:TROUBLE_MAX]
