"""The unit of more rights as the machine has it: root's own program, in a process of its own that the agent's wish
starts. Its fixed places are mounts that it alone sees; systemctl is a script that asks the stack to stop its writers.
"""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import trio

from simulators.stack import Stack

LOOK_S = 0.2
# $1 the box's settings, $2 the keys to hosts: where the unit looks for them. It may set no clock of this machine.
ALONE = """set -e
mount -t tmpfs tmpfs /etc && mkdir /etc/yikatong && cp "$1" /etc/yikatong/settings.toml
mount -t tmpfs tmpfs /var/lib && mkdir -p /var/lib/yikatong/credentials/hosts
mount --bind "$2" /var/lib/yikatong/credentials/hosts
shift 2
exec setpriv --bounding-set=-sys_time,-sys_boot "$@"
"""
# Systemd's answer comes when the units have ended.
SYSTEMCTL = """#!/bin/sh
echo "$*" > {folder}/asked.new && mv {folder}/asked.new {folder}/asked
until [ -e {folder}/stopped ]; do sleep 0.1; done
"""


@dataclass
class Unit:
    """``wishes``: the folder that the agent's settings name. ``keys``: stands for the folder of keys to hosts."""

    folder: Path
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wishes, self.keys, self.programs = (self.folder / name for name in ("wishes", "keys", "programs"))
        for folder in (self.wishes, self.keys, self.programs):
            folder.mkdir(parents=True)
        (self.keys / "hospital.key").write_text("TEST")
        systemctl = self.programs / "systemctl"
        systemctl.write_text(SYSTEMCTL.format(folder=self.folder))
        systemctl.chmod(0o755)

    async def run(self, stack: Stack) -> None:
        """Started by a wish to wipe, as the path unit is, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._stop_writers, stack)
            while True:
                if (self.wishes / "wipe.wish").exists():
                    await self._act(stack)
                await trio.sleep(LOOK_S)

    async def _act(self, stack: Stack) -> None:
        inside = ["sh", "-c", ALONE, "sh", str(stack.local_facts), str(self.keys)]
        program = [sys.executable, "-m", "provisioning.privileged", "act"]
        done = await trio.run_process(
            ["unshare", "--mount", "--propagation", "private", *inside, *program],
            env={**os.environ, "PATH": f"{self.programs}:{os.environ['PATH']}"},
            stdin=b"", capture_stdout=True, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        self.said += done.stdout.decode().splitlines()

    async def _stop_writers(self, stack: Stack) -> None:
        asked = self.folder / "asked"
        while not asked.exists():
            await trio.sleep(LOOK_S)
        self.said.append(asked.read_text().strip())
        for process in (stack.kiosk, stack.forwarder):
            await process.stop()
        (self.folder / "stopped").touch()
