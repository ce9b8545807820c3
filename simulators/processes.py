"""Child processes that never outlive us: each in its own session, ended in reverse order, with bounded waits.

Three nets, because any one alone has a hole. ``stop_all`` is the orderly end. PR_SET_PDEATHSIG (prctl(2)) ends the
children when this process is killed. The warden, a shell that reads our pipe, then ends their whole groups, so that
grandchildren go too. A kiosk that dies hard leaves nothing that the next start could stumble over.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import trio

# Reads lines of process groups ("-123 -456"); at the end of our pipe, which is our death, it ends the last list.
_WARDEN = 'while read -r line; do groups=$line; done; [ -n "$groups" ] && kill -s KILL -- $groups; :'


class ChildEnded(Exception):
    """A process ended before it was ready; the message names it and its log."""


@dataclass(eq=False)
class Child:
    """One process that we started. ``pid`` is also its process group and session."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    async def wait(self) -> int:
        """Its exit status, negative for a signal. Needs no thread: a pidfd is readable once the process ended."""
        if self.running:
            descriptor = os.pidfd_open(self.pid)
            try:
                await trio.lowlevel.wait_readable(descriptor)
            finally:
                os.close(descriptor)
        return self.process.wait()

    def signal_group(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return  # ended by itself meanwhile


class Children:
    """All processes of one stack. Call from the main thread only: PDEATHSIG follows the thread that forked."""

    def __init__(self, log_dir: Path) -> None:
        log_dir.mkdir(parents=True, exist_ok=True)
        self._log_dir = log_dir
        self._children: list[Child] = []
        self._warden = subprocess.Popen(
            ["/bin/sh", "-c", _WARDEN], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
        )

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
        cwd: Path | None = None,
    ) -> Child:
        """Start ``command``; its output goes to ``NAME.log``, appended to. ``env`` is added to ours.

        Raises:
            OSError: there is no such program.
        """
        log = self._log_dir / f"{name}.log"
        with log.open("ab") as sink:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *command],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env={**os.environ, **(env or {})},
                pass_fds=pass_fds,
                cwd=cwd,
                start_new_session=True,
            )
        child = Child(name, process, log)
        self._children.append(child)
        self._tell_warden()
        return child

    async def stop(self, child: Child, wait_s: float = 3.0) -> int:
        """End one process and its group: politely, then by SIGKILL after ``wait_s``. Returns its exit status."""
        with trio.CancelScope(shield=True):
            child.signal_group(signal.SIGTERM)
            with trio.move_on_after(wait_s):
                await child.wait()
            child.signal_group(signal.SIGKILL)  # what is left of the group, and a leader that would not go
            status = await child.wait()
        self._forget(child)
        return status

    async def kill(self, child: Child) -> None:
        """What a power cut does: SIGKILL to the whole group at once."""
        with trio.CancelScope(shield=True):
            child.signal_group(signal.SIGKILL)
            await child.wait()
        self._forget(child)

    async def stop_all(self) -> None:
        """End everything, last started first, and the warden at last."""
        for child in reversed(self._children):
            await self.stop(child)
        warden, pipe = self._warden, self._warden.stdin
        assert pipe is not None
        pipe.close()
        warden.wait(timeout=2)

    def _forget(self, child: Child) -> None:
        self._children = [one for one in self._children if one is not child]
        self._tell_warden()

    def _tell_warden(self) -> None:
        pipe = self._warden.stdin
        assert pipe is not None
        pipe.write((" ".join(f"-{child.pid}" for child in self._children) + "\n").encode())
        pipe.flush()
