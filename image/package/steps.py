"""Running one tool of a build, in surroundings that leave no trace of this machine in what it makes."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]
PYTHON = HOUSE / ".venv" / "bin" / "python"
STEP_S_MAX = 1800.0
# One hash seed: constants of a set are written into bytecode in the order of their hashes.
SAME_EVERYWHERE = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0"}


class StepFailed(Exception):
    """A tool ended with an error; the message has its last words."""


def run(command: Sequence[str], cwd: Path = HOUSE, **environment: str) -> bytes:
    """One tool, to its end; what it said on its standard output.

    Raises:
        StepFailed: it could not be started, ended with an error, or took longer than half an hour.
    """
    given = {**os.environ, **SAME_EVERYWHERE, **environment}
    try:
        done = subprocess.run(
            command, cwd=cwd, env=given, stdin=subprocess.DEVNULL, capture_output=True, timeout=STEP_S_MAX, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise StepFailed(f"{command[0]}: {failure}") from failure
    if done.returncode != 0:
        words = (done.stderr or done.stdout)[-2000:].decode(errors="replace")
        raise StepFailed(f"{' '.join(command[:4])} ended with status {done.returncode}: {words}")
    return done.stdout
