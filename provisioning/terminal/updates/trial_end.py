"""Ends a trial that nobody ends: an image whose agent never comes up, or never comes to a verdict, goes back.

    python -I -m provisioning.terminal.updates.trial_end FOLDER

Run by root's own timer half an hour after a start (systemd/yikatong-trial.timer), by then an agent that lives has kept
the image or gone back. ``FOLDER``: the agent's, with ``image.json``. It only ever takes an image back, so that whoever
owns the agent gains nothing by it that RAUC would not let the agent do anyway.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from provisioning.terminal.updates.booted import Booted, read_booted
from provisioning.terminal.updates.image import FILE, read_chosen

ACT_S_MAX = 60.0
BACK = (
    ("rauc", "status", "mark-active", "other"),  # first: between the two the older one is chosen, and may be started
    ("rauc", "status", "mark-bad", "booted"),
    ("systemctl", "reboot"),  # kiosk and forwarder end as at any reboot: what was done is booked
)


def end_trial(folder: Path, booted: Booted | None, run: Callable[[Sequence[str]], None]) -> bool:
    """Whether what runs was still on trial. Raises subprocess.SubprocessError, OSError: the timer asks again."""
    trial = read_chosen(folder / FILE).trial
    if booted is None or trial is None or trial.slot != booted.slot:
        return False
    for command in BACK:
        run(command)
    return True


def main(arguments: Sequence[str]) -> int:
    (folder,) = arguments

    def run(command: Sequence[str]) -> None:
        subprocess.run(command, check=True, timeout=ACT_S_MAX, stdin=subprocess.DEVNULL)

    if end_trial(Path(folder), read_booted(), run):
        sys.stderr.write("an image on trial was not kept in time: the machine goes back\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
