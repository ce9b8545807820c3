"""Child processes of the stack: none is left, however the parent ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulators.processes import Children

# A parent with a child that has a grandchild and ignores SIGTERM. The names of all three go to standard output.
PARENT = """
import signal, sys, trio
from pathlib import Path
from simulators.processes import Children

# Started in the background of a shell, a process inherits a SIGINT that is ignored; this one must hear it.
signal.signal(signal.SIGINT, signal.default_int_handler)

async def main():
    children = Children(Path(sys.argv[1]))
    stubborn = children.start("stubborn", ["sh", "-c", "trap '' TERM; sleep 301 & echo grandchild $!; wait; wait"])
    while b"grandchild" not in stubborn.log.read_bytes():
        await trio.sleep(0.01)
    print(stubborn.pid, stubborn.log.read_text().split()[1], flush=True)
    try:
        await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True):
            await children.stop(stubborn, wait_s=0.2)
            await children.stop_all()

trio.run(main)
"""


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def _gone_within(pids: list[int], limit_s: float) -> bool:
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if not any(_alive(pid) for pid in pids):
            return True
        time.sleep(0.01)  # polling /proc: nobody tells us of the end of somebody else's child
    return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_survives_the_parent(tmp_path: Path, number: signal.Signals) -> None:
    """However the parent ends, its stubborn child and the grandchild end too."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert len(pids) == 2
    assert all(_alive(pid) for pid in pids)
    os.kill(parent.pid, number)
    try:
        parent.wait(timeout=10)
    finally:
        parent.kill()  # also when it did not hear: nothing of a test outlives it
    parent.stdout.close()
    assert _gone_within(pids, 10)


async def test_stop_tells_the_exit_status_and_keeps_the_log(tmp_path: Path) -> None:
    """A child that ends politely is waited for, and what it said is in its log."""
    children = Children(tmp_path)
    child = children.start(
        "polite", ["sh", "-c", "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done"]
    )
    while b"up" not in child.log.read_bytes():
        assert child.running
    assert await children.stop(child) == 7
    await children.stop_all()
    assert child.log.read_text().splitlines()[-1] == "bye"


async def test_a_power_cut_ends_the_whole_group_at_once(tmp_path: Path) -> None:
    """``kill`` leaves neither the leader nor what it started."""
    children = Children(tmp_path)
    child = children.start("kiosk", ["sh", "-c", "sleep 302 & echo $!; wait"])
    while not child.log.read_bytes().endswith(b"\n"):
        assert child.running
    grandchild = int(child.log.read_text())
    await children.kill(child)
    await children.stop_all()
    assert _gone_within([child.pid, grandchild], 5)
