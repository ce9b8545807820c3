"""The folder in which the agent wishes and root answers, from both ends."""

import json
import os
from pathlib import Path

import pytest
import trio

from provisioning.privileged.wishes import Act, Refused, Wish, answer_wishes
from provisioning.rules.commands import NotObeyed
from provisioning.terminal.disk import Disk
from provisioning.terminal.privileged import PrivilegedFolder


class Done:
    """Acts that only note what they were asked; ``refuses`` one of them."""

    def __init__(self, refuses: str = "") -> None:
        self.asked: list[str] = []
        self.refuses = refuses
        self.acts: dict[str, Act] = {what: self._act(what) for what in ("clock", "network", "wipe", "reboot")}

    def _act(self, what: str) -> Act:
        def act(wish: Wish) -> None:
            self.asked.append(f"{what} {wish.command}")
            if what == self.refuses:
                raise Refused("not now")

        return act


def wish(folder: Path, what: str, command: str = "one") -> None:
    (folder / f"{what}.wish").write_text(json.dumps({"command": command}))


async def test_agent_and_root_agree(tmp_path: Path) -> None:
    """What the agent wishes is done once, what root refuses comes back with its sentence, and nothing stays behind
    that would be done again."""
    done = Done(refuses="network")

    async def root() -> None:
        while True:
            answer_wishes(tmp_path, done.acts)
            await trio.sleep(0.01)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(root)
        agent = PrivilegedFolder(tmp_path, Disk())
        await agent.wish("clock", "one")
        await agent.wish("clock", "one")
        with pytest.raises(NotObeyed, match="not now"):
            await agent.wish("network", "0002")
        nursery.cancel_scope.cancel()
    assert done.asked == ["clock one", "clock one", "network 0002"]
    assert list(tmp_path.glob("*.wish")) == []


def test_a_reboot_is_answered_before_it_begins(tmp_path: Path) -> None:
    """Cut off after the answer, the next start takes the wish away and does not reboot again."""
    wish(tmp_path, "reboot")
    began = []

    def reboot(_: Wish) -> object:
        def now() -> None:
            began.append((tmp_path / "reboot.done").exists())
            raise KeyboardInterrupt

        return now

    acts: dict[str, Act] = {"reboot": reboot}  # type: ignore[dict-item]  # what follows is anything that can be called
    with pytest.raises(KeyboardInterrupt):
        answer_wishes(tmp_path, acts)
    wish(tmp_path, "reboot")  # as if the power had gone before it was taken away
    assert answer_wishes(tmp_path, acts) == ["reboot.done"]
    assert began == [True]
    assert not (tmp_path / "reboot.wish").exists()


def test_a_reboot_waits_for_what_it_would_cut_off(tmp_path: Path) -> None:
    """Wishes that wait together are done in an order that loses none."""
    for what in ("reboot", "wipe", "network", "clock"):
        wish(tmp_path, what)
    done = Done()
    answer_wishes(tmp_path, done.acts)
    assert [asked.split()[0] for asked in done.asked] == ["clock", "network", "wipe", "reboot"]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"command": 7}', b"\xff", b"[" * 9000, b'{"command": "x' + b"x" * 70000]
)
def test_a_wish_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    """Whatever the agent wrote, root goes on, does nothing and says so."""
    (tmp_path / "wipe.wish").write_bytes(content)
    done = Done()
    assert answer_wishes(tmp_path, done.acts) == ["wipe.refused"]
    assert done.asked == []
    assert (tmp_path / "wipe.refused").read_text() == "this wish cannot be read"


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_root_follows_no_link_and_waits_for_no_pipe(tmp_path: Path, kind: str) -> None:
    """Somebody who has taken the agent over gets neither another file read nor root to hang."""
    folder, secret = tmp_path / "wishes", tmp_path / "secret"
    folder.mkdir()
    secret.write_text(json.dumps({"command": "one"}))
    place = folder / "wipe.wish"
    if kind == "link":
        place.symlink_to(secret)
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.mkdir()
    done = Done()
    if kind == "folder":
        with pytest.raises(OSError, match="directory"):
            answer_wishes(folder, done.acts)
    else:
        assert answer_wishes(folder, done.acts) == ["wipe.refused"]
    assert done.asked == []
    assert secret.exists()


def test_an_answer_goes_through_no_link(tmp_path: Path) -> None:
    """A link in the place of an answer, or of what is written beside it, is not written through."""
    folder, victim = tmp_path / "wishes", tmp_path / "victim"
    folder.mkdir()
    victim.write_text("whole")
    wish(folder, "clock")
    (folder / ".clock.done.new").symlink_to(victim)
    answer_wishes(folder, Done().acts)
    assert victim.read_text() == "whole"
    assert (folder / "clock.done").read_bytes() == b""
    assert not (folder / "clock.done").is_symlink()


def test_the_folder_itself_is_no_link(tmp_path: Path) -> None:
    """Nor is the folder taken where a link leads."""
    (tmp_path / "real").mkdir()
    (tmp_path / "wishes").symlink_to(tmp_path / "real")
    with pytest.raises(OSError, match=r"[Nn]ot a directory|symbolic links"):
        answer_wishes(tmp_path / "wishes", Done().acts)
