"""Structured log: one JSON line an event on stderr. Field names are on a list, so personal data has no way in."""

import json
import sys
from datetime import UTC, datetime
from typing import TextIO

# Every field a log line may carry. Add one only if no value of it can ever name, number or locate a person.
ALLOWED_FIELDS = frozenset(
    {
        "act", "attempt", "bytes", "card_spec", "case_code", "code", "condition", "count", "deadline_s",
        "driver", "error", "expected", "host", "how", "job", "key", "kind", "language", "left",
        "method", "milliseconds",
        "mode", "outcome", "path", "pid", "question", "reason", "result", "seq", "service", "slot",
        "status", "step", "tries_left", "version", "why",
    }
)  # fmt: skip

Field = str | int | float | bool | None


class JsonLog:
    """Implements ``ports.Log``."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr

    def __call__(self, event: str, **fields: Field) -> None:
        """Write one line.

        Raises:
            ValueError: a field that is not on the list; a programmer's error, so it crashes.
        """
        unknown = fields.keys() - ALLOWED_FIELDS
        if unknown:
            raise ValueError(f"log fields not on the list: {sorted(unknown)}")
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"at": moment, "event": event, **fields}, ensure_ascii=False)
        print(line, file=self._stream, flush=True)
