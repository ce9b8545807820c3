"""Wish ``stick``: which unit mounts it, and what the agent hears when it was pulled out."""

import json
import subprocess
from pathlib import Path

import pytest
import trio

from provisioning.privileged.stick import READ, WRITE, StickWish
from provisioning.privileged.wishes import Refused, Wish, answer_wishes
from provisioning.rules.commands import NotObeyed
from provisioning.terminal.disk import Disk
from provisioning.terminal.privileged import PrivilegedFolder
from provisioning.terminal.updates.stick_door import StickDoor

DISK = "sda1"


class Systemd:
    """As much of systemctl as is asked: units that are active, and what their conflict and their failure do."""

    def __init__(self, active: str = f"{READ}{DISK}.service") -> None:
        self.active = {active} - {""}
        self.failed: set[str] = set()
        self.starts_badly, self.ends_badly = "", ""

    def __call__(self, *words: str) -> "subprocess.CompletedProcess[str]":
        verb, unit = words[0], words[-1]
        told, status = "", 0
        if verb == "list-units":
            names = sorted(one for one in self.active if one.startswith(unit.partition("*")[0]))
            told = "".join(f"{one} loaded active exited A stick\n" for one in names)
        elif verb == "start":
            self.active.clear()  # both conflict with each other
            status = int(unit == self.starts_badly)
            (self.failed if status else self.active).add(unit)
        elif verb == "stop":
            self.active.discard(unit)
            if unit == self.ends_badly:
                self.failed.add(unit)
        elif verb == "is-failed":
            status = int(unit not in self.failed)
        elif verb == "reset-failed":
            self.failed.discard(unit)
        return subprocess.CompletedProcess(words, status, told, "")


def wished(systemd: Systemd, command: str, age_s: float = 0.1) -> str:
    """ "" when it was done, else why not."""
    try:
        StickWish(systemd)(Wish(command, age_s))
    except Refused as refused:
        return str(refused)
    return ""


def test_it_is_opened_and_closed() -> None:
    """For a moment it can be written to; then it can be read, and nothing else."""
    systemd = Systemd()
    assert wished(systemd, "write") == ""
    assert systemd.active == {f"{WRITE}{DISK}.service"}
    assert wished(systemd, "done") == ""
    assert systemd.active == {f"{READ}{DISK}.service"}


def test_one_that_cannot_be_written_to_can_still_be_read() -> None:
    """A stick with a switch against writing: refused, and mounted as before."""
    systemd = Systemd()
    systemd.starts_badly = f"{WRITE}{DISK}.service"
    assert wished(systemd, "write") == "this stick cannot be mounted to be written to"
    assert (systemd.active, systemd.failed) == ({f"{READ}{DISK}.service"}, set())


def test_pulled_out_meanwhile_is_told() -> None:
    """Nothing is said to be on a stick that is gone, or whose last bytes it did not take."""
    systemd = Systemd()
    wished(systemd, "write")
    systemd.active.clear()
    assert wished(systemd, "done") == "no stick is there"
    systemd = Systemd()
    wished(systemd, "write")
    systemd.ends_badly = f"{WRITE}{DISK}.service"
    assert wished(systemd, "done") == "nobody knows whether all is on the stick"
    assert systemd.failed == set(), "the next stick finds it as if nothing had been"


@pytest.mark.parametrize(
    ("command", "age_s", "why"),
    [
        ("sda1", 0.1, "this wish cannot be read"),
        ("write ", 0.1, "this wish cannot be read"),
        ("write", 3600.0, "this wish is of another stick"),
        ("write", -3600.0, "this wish is of another stick"),
    ],
)
def test_other_wishes_move_nothing(command: str, age_s: float, why: str) -> None:
    """No name of a device comes from the agent, and what an earlier life wished for is over."""
    systemd = Systemd()
    assert wished(systemd, command, age_s) == why
    assert systemd.active == {f"{READ}{DISK}.service"}
    assert wished(Systemd(active=""), "write") == "no stick is there"


async def test_the_agent_has_it_opened_for_as_long_as_it_writes(tmp_path: Path) -> None:
    """Over the folder of wishes; closed also when what was done in between failed; a refusal enters nothing."""
    systemd = Systemd()

    async def root() -> None:
        while True:
            answer_wishes(tmp_path, {"stick": StickWish(systemd)})
            await trio.sleep(0.01)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(root)
        door = StickDoor(PrivilegedFolder(tmp_path, Disk()))
        async with door.opened():
            assert systemd.active == {f"{WRITE}{DISK}.service"}
        assert systemd.active == {f"{READ}{DISK}.service"}
        with pytest.raises(OSError, match="full"):
            async with door.opened():
                raise OSError("full")
        assert systemd.active == {f"{READ}{DISK}.service"}
        systemd.active.clear()
        with pytest.raises(NotObeyed, match="no stick is there"):
            async with door.opened():
                raise AssertionError("not entered")
        nursery.cancel_scope.cancel()
    assert json.dumps(sorted(path.name for path in tmp_path.iterdir())) == '["stick.refused"]'
