"""The terminal's processes as the stack sees them: started, watched, and sometimes without power."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import trio

from simulators.processes import Child, ChildEnded, Children
from simulators.waiting import until_file

READY_S_MAX = 60.0  # a first start compiles bytecode and voice packs
EX_CONFIG = 78  # sysexits(3): starting again would not help
BACK_OFF_S = (0.0, 1.0, 2.0, 5.0)


FORWARD, AGENT = "forward", "agent"  # folders of the other processes in the kiosk's


# The terminal's own file that starts the software of the generation in force, as its units call it.
BOOT = Path(__file__).parents[1] / "provisioning" / "terminal" / "updates" / "boot.py"


def kiosk_command(settings: Path, command: str = "run", application: Path | None = None) -> list[str]:
    """``application``: folder of the generations. Starts of kiosk and agent count, while one of them is on trial."""
    start = [sys.executable, "-m", "kiosk", command, "--settings", str(settings)]
    if application is None:
        return start
    return [sys.executable, "-S", str(BOOT), str(application), "run" if command == "forward" else "start", *start]


class KioskProcess:
    """Keeps a process running as systemd would: the kiosk, or with another ``name`` its forwarder. ``run_dir`` stands
    for its tmpfs: every start empties it, but for the others' folders in the kiosk's.
    """

    def __init__(
        self,
        children: Children,
        command: Sequence[str],
        env: Mapping[str, str],
        run_dir: Path,
        on_change: Callable[[], None],
        name: str = "kiosk",
    ) -> None:
        self.name = name
        self.restarts = 0
        self.ready = False
        self.started_at = 0.0  # time.monotonic() of the last spawn
        self._children = children
        self._command = list(command)
        self._env = dict(env)
        self._run_dir = run_dir
        self._on_change = on_change
        self._child: Child | None = None
        self._quick_ends = 0
        self._wanted = trio.Event()
        self._wanted.set()
        self._served = False  # then settings that it refuses are new ones, which its agent takes back

    @property
    def pid(self) -> int:
        """0 while there is none."""
        return self._child.pid if self._child and self._child.running else 0

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Start it, start it again whenever it ends; started at the first ready.

        Raises:
            ChildEnded: it does not come up at all, or says that its settings are wrong.
        """
        await self._start()
        task_status.started()
        while True:
            assert self._child
            status = await self._child.wait()
            if status == EX_CONFIG and not self._served:
                raise ChildEnded(f"the {self.name} refuses its settings, see {self._child.log}")
            await self._wanted.wait()
            await trio.sleep(BACK_OFF_S[min(self._quick_ends, len(BACK_OFF_S) - 1)])
            self._quick_ends += 1
            self.restarts += 1
            await self._start()

    async def power_cut(self) -> None:
        """SIGKILL to everything of it at once. ``run`` starts it again, as the power coming back would."""
        self._quick_ends = 0
        if self._child and self._child.running:
            await self._children.kill(self._child)

    async def stop(self) -> None:
        """As ``systemctl stop``: it ends, and is not started before ``start``."""
        self._wanted = trio.Event()
        if self._child and self._child.running:
            await self._children.stop(self._child)

    def start(self) -> None:
        """As ``systemctl start``."""
        self._wanted.set()

    async def _start(self) -> None:
        self.ready = False
        self._empty_run_dir()
        self.started_at = time.monotonic()
        self._child = self._children.start(self.name, self._command, env=self._env, cwd=self._run_dir)
        self._on_change()
        try:
            await until_file(self._run_dir / "ready", self._child, READY_S_MAX)
        except ChildEnded:
            if self.restarts == 0:
                raise
            return  # the loop in ``run`` sees the end and tries again
        self.ready, self._quick_ends, self._served = True, 0, True
        self._on_change()

    def _empty_run_dir(self) -> None:
        self._run_dir.mkdir(parents=True, mode=0o700, exist_ok=True)
        for one in self._run_dir.iterdir():
            if one.name not in (FORWARD, AGENT):
                shutil.rmtree(one) if one.is_dir() else one.unlink()


def kiosk_environment(display: str, hardware: Mapping[str, str], screen_map: bool) -> dict[str, str]:
    """What the kiosk's unit file would set. The interpreter's own folder comes first, for its short-lived helpers."""
    return {
        "DISPLAY": display,
        **hardware,
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
        "PYTHONUNBUFFERED": "1",
        **({"YIKATONG_SCREEN_MAP": "1"} if screen_map else {}),
    }
