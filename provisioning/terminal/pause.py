"""The pause before a process of the terminal is started anew: longer each time that it fails, and none after long life.

    python -m provisioning.terminal.pause FILE       as ExecStopPost= of a unit with Restart=always

systemd 252 starts again after one fixed time (RestartSteps= came with 254), and gives up where it is told to count.
FILE, on tmpfs, remembers how often. What ended well, because it was told to, pauses nothing. Standard library only.
"""

import json
import os
import sys
import time
from pathlib import Path

PAUSES_S = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0)  # then the last one for ever; the unit's TimeoutStopSec= is longer
STEADY_S = 300.0  # between two failures: then they count from the beginning
RESULT = "SERVICE_RESULT"  # systemd.exec(5); "success" also for an end that was asked for


def pause_s(file: Path, result: str, now_s: float) -> float:
    """How long to wait now, noted in ``file``. ``now_s``: since the machine started. Raises OSError."""
    if result == "success":
        return 0.0
    failures, last_s = _noted(file)
    failures = 0 if now_s - last_s > STEADY_S else failures
    pause = PAUSES_S[min(failures, len(PAUSES_S) - 1)]
    file.write_text(json.dumps([failures + 1, now_s + pause]))
    return pause


def _noted(file: Path) -> tuple[int, float]:
    try:
        failures, last_s = json.loads(file.read_text())
        return int(failures), float(last_s)
    except (OSError, ValueError, TypeError):
        return 0, 0.0


if __name__ == "__main__":
    time.sleep(pause_s(Path(sys.argv[1]), os.environ.get(RESULT, ""), time.clock_gettime(time.CLOCK_BOOTTIME)))
