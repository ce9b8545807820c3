"""Which receipts a printer was already given, so that a retry never becomes a second piece of paper.

Kept in the slot's run directory (tmpfs), because a driver that is opened again, or a kiosk that restarts, must still
know. A power cut empties it, and empties the printer's buffer too. Field report: a printer whose status flaps makes
the job be retried, and the customer gets two receipts.
"""

import json
from collections import OrderedDict
from pathlib import Path

STARTED = "started"
PRINTED = "printed"
_KEYS_MAX = 256


class PrintedKeys:
    """Keys of jobs with what is known of them: ``started`` or ``printed``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: OrderedDict[str, str] = OrderedDict()
        if path.exists():
            self._known.update(_read(path))

    def state(self, key: str) -> str | None:
        return self._known.get(key)

    def note(self, key: str, state: str) -> None:
        """Remember, on disk before returning."""
        self._known[key] = state
        self._known.move_to_end(key)
        self._write()

    def forget(self, key: str) -> None:
        """The job surely left no mark on paper."""
        if self._known.pop(key, None) is not None:
            self._write()

    def _write(self) -> None:
        while len(self._known) > _KEYS_MAX:
            self._known.popitem(last=False)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(self._known))
        fresh.replace(self._path)


def _read(path: Path) -> dict[str, str]:
    try:
        read = json.loads(path.read_text())
    except ValueError:
        return {}  # cut short by a power failure that emptied the printer as well
    return {str(key): str(state) for key, state in read.items()} if isinstance(read, dict) else {}
