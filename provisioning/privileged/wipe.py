"""Wish ``wipe``: what this terminal knew is destroyed, its journal by the agency's word alone (money-rules 28).

The agent's word that everything is kept is not enough here: whoever has taken the agent over must not be able to
destroy evidence. The agency's signed acknowledgement lies beside the journal; the journal's own command judges it with
the keys of the box's own settings, in a process of its own, on a file that nobody else has open.
"""

import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from provisioning.privileged.wishes import Refused, Wish
from provisioning.terminal.toml import as_toml

WRITERS = ("yikatong-kiosk.service", "yikatong-forwarder.service")
ACKNOWLEDGED = "acknowledged.json"  # beside the journal: the last word of the agency that was judged and kept
STOP_S_MAX = 120.0
RESET_S_MAX = 100.0

Units = Callable[[str], bool]  # "stop" or "start": those that write the journal; whether it worked


def units(act: str) -> bool:
    command = ["systemctl", act, *WRITERS]
    return subprocess.run(command, timeout=STOP_S_MAX, check=False, stdin=subprocess.DEVNULL).returncode == 0


@dataclass(frozen=True)
class Wipe:
    """``settings``: the box's own, which names the agency's keys. ``terminal_id``: as the settings in force say it, ""
    where they do not. ``journal``: its folder. ``credentials``: keys to hosts, one file each; the
    agent's own stay: they open the box's token, in which whoever comes next makes keys of theirs."""

    settings: Path
    terminal_id: str
    journal: Path
    credentials: Path
    units: Units = units

    def __call__(self, wish: Wish) -> None:
        """Leaves the writers stopped: what they would begin anew is another terminal's. Raises Refused."""
        if not self.units("stop"):
            raise Refused("kiosk and forwarder do not end")
        why = self._reset()
        if why:
            self.units("start")
            raise Refused(why)
        for one in sorted(self.credentials.glob("*")):
            one.unlink()

    def _reset(self) -> str:
        """Why not; "" when the journal is gone, or was before and by such a word."""
        word = self.journal / ACKNOWLEDGED
        if not word.exists() and (self.journal / "journal.db").exists():
            return "the agency's word for this journal is not here: bring it on a stick"
        word = word if word.exists() else self.journal / "reset.json"  # a wipe that the power cut short
        tree = tomllib.loads(self.settings.read_text())
        if self.terminal_id:
            tree["terminal"] = {**tree.get("terminal", {}), "terminal_id": self.terminal_id}
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as merged:
            merged.write(as_toml(tree))
            merged.flush()
            command = [sys.executable, "-I", "-m", "offline_queue", "--settings", merged.name, "reset"]
            done = subprocess.run(
                [*command, "--acknowledgement", str(word)],
                capture_output=True, text=True, timeout=RESET_S_MAX, check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        return "" if done.returncode == 0 else (done.stderr.strip() or "the journal cannot be destroyed")
