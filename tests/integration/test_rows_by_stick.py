"""Rows go out by a stick through two processes: the forwarder holds the journal, and the agent may not open it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from kiosk.basics.control import agencys_answer_path, agent_path, forward_path, rows_out_path, serve_control
from kiosk.forwarder.rows_out import RowsOut
from provisioning.rules.commands import NotObeyed
from provisioning.terminal.privileged import NoPrivileged
from provisioning.terminal.updates.rows_by_stick import Door, RowsByStick
from provisioning.terminal.updates.stick_door import StickDoor
from simulators.pki import make_pki
from tests.unit.test_evidence import TERMINAL, Village

HOUSE = Path(__file__).parents[2]
NOBODY, SHARED = 65_534, 54_321  # the agent's user, and the group that it shares with the forwarder
AS_AGENT = """
import json, sys, trio
from pathlib import Path
from provisioning.terminal.privileged import NoPrivileged
from provisioning.terminal.updates.rows_by_stick import RowsByStick
from provisioning.terminal.updates.stick_door import StickDoor
run_dir, stick, journal = sys.argv[1:]
async def signed(stick):
    return True
rows = RowsByStick(run_dir, "T0000001", lambda event, **fields: None, signed, StickDoor(NoPrivileged()))
trio.run(rows.swap, Path(stick))
try:
    opened = bool(Path(journal).read_bytes())
except PermissionError:
    opened = False
print(json.dumps([rows.files, rows.why, rows.answer, opened]))
"""


@pytest.fixture
def village() -> Iterator[Village]:
    """In a folder that another user may pass through."""
    folder = Path(tempfile.mkdtemp(prefix="ykrows"))
    made = Village(folder, make_pki(folder / "pki"))
    (made.stick / FLEETS).touch()
    made.settings = msgspec.structs.replace(made.settings, run_dir=str(folder / "run"))
    for path in (forward_path(made.settings.run_dir).parent, agent_path(made.settings.run_dir).parent):
        path.mkdir(parents=True)
    try:
        yield made
    finally:
        made.journal.close()
        made.ledger.close()
        shutil.rmtree(folder)


FLEETS = "signed"  # a file on the stick, in place of what two people sign (tests/fleet/updates judges that for real)


async def signed(stick: Path) -> bool:
    return (stick / FLEETS).exists()


def carrier(village: Village, door: Door | None = None) -> RowsByStick:
    """The agent's part."""
    log = lambda event, **fields: None  # noqa: E731 - nobody reads it here
    return RowsByStick(village.settings.run_dir, TERMINAL, log, signed, door or StickDoor(NoPrivileged()))


@asynccontextmanager
async def forwarder(village: Village) -> AsyncIterator[RowsByStick]:
    """Answers as the real one does; the agent's part beside it."""
    rows, run_dir = RowsOut(village.settings), village.settings.run_dir
    async with trio.open_nursery() as nursery:
        answers: Any = {"take_answer": rows.take_answer}
        await nursery.start(serve_control, forward_path(run_dir), answers, {"row_bundle": rows.bundle})
        yield carrier(village)
        nursery.cancel_scope.cancel()


async def test_rows_go_out_and_the_answer_comes_in(village: Village) -> None:
    """What the stick took is whole at the agency; its word on the same stick is kept, and only newer rows go next."""
    village.live(7)
    async with forwarder(village) as agent:
        await agent.swap(village.stick)
        assert (agent.files, agent.why, agent.answer) == (1, "", "")
        assert village.import_stick() == 0 and village.kept() == 7
        await agent.swap(village.stick)
        assert (agent.files, agent.why, agent.answer) == (0, "", "kept")
        village.live(2)
        await agent.swap(village.stick)
    board = village.board_key[:16]
    names = sorted(path.name for path in village.stick.glob("*.bundle"))
    assert names == [f"{TERMINAL}-{board}-1-7.bundle", f"{TERMINAL}-{board}-8-9.bundle"]
    assert not rows_out_path(village.settings.run_dir).exists(), "nothing more was ready, and nothing stays"
    assert not agencys_answer_path(village.settings.run_dir).exists()


async def test_a_forged_answer_lets_nothing_go(village: Village) -> None:
    """It is refused, told so, and the rows go out all the same."""
    village.live(3)
    village.word.write_text(json.dumps({"document": {"kept_up_to": 3}, "signature": "00" * 64}))
    async with forwarder(village) as agent:
        await agent.swap(village.stick)
    assert (agent.files, agent.why, agent.answer) == (1, "", "refused")


async def test_a_silent_forwarder_is_told(village: Village) -> None:
    """No row leaves behind the journal's back; the update on the same stick is not kept waiting."""
    village.live(3)
    village.word.write_text("{}")
    agent = carrier(village)
    await agent.swap(village.stick)
    assert (agent.files, agent.why, agent.answer) == (0, "silent", "silent")
    assert list(village.stick.glob("*.bundle")) == []


async def test_a_stick_that_went_away_is_told(village: Village) -> None:
    """Pulled out in between; the next one gets all of it."""
    village.live(3)
    shutil.rmtree(village.stick)
    async with forwarder(village) as agent:
        await agent.swap(village.stick)
        assert (agent.files, agent.why) == (0, "foreign"), "and what is not there bears no word"
        village.stick.mkdir()
        (village.stick / FLEETS).touch()
        await agent.swap(village.stick)
        assert (agent.files, agent.why) == (1, "")


class Mounted:
    """Implements ``Door`` on a folder: how often it was opened, and what happens to the stick meanwhile."""

    def __init__(self, opens: str = "", closes: str = "", meanwhile: Callable[[], object] = lambda: None) -> None:
        self.opens, self.closes, self.meanwhile, self.times = opens, closes, meanwhile, 0

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        if self.opens:
            raise NotObeyed(self.opens)
        self.times += 1
        self.meanwhile()
        yield
        if self.closes:
            raise NotObeyed(self.closes)


async def test_nothing_is_opened_that_is_not_the_fleets(village: Village) -> None:
    """A stick without its word stays as it was; with the agency's answer it is opened, and with nothing new not."""
    village.live(3)
    (village.stick / FLEETS).unlink()
    door = Mounted()
    agent = carrier(village, door)
    async with forwarder(village):
        await agent.swap(village.stick)
        assert (agent.files, agent.why, door.times, list(village.stick.iterdir())) == (0, "foreign", 0, [])
        (village.stick / FLEETS).touch()
        await agent.swap(village.stick)
        assert (agent.files, agent.first, agent.last, agent.why, door.times) == (1, 1, 3, "", 1)
        assert village.import_stick() == 0
        (village.stick / FLEETS).unlink()
        await agent.swap(village.stick)
        assert (agent.files, agent.answer, door.times) == (0, "kept", 1), "nothing to write, nothing to open"
        village.live(1)
        await agent.swap(village.stick)
        assert (agent.files, agent.why, door.times) == (1, "", 2)


async def test_a_stick_that_is_exchanged_while_it_is_opened_takes_nothing(village: Village) -> None:
    """It is another mount then, and is judged again before a byte is written."""
    village.live(3)
    agent = carrier(village, Mounted(meanwhile=(village.stick / FLEETS).unlink))
    async with forwarder(village):
        await agent.swap(village.stick)
    assert (agent.files, agent.why, list(village.stick.iterdir())) == (0, "foreign", [])


@pytest.mark.parametrize(
    "door", [Mounted(opens="no stick is there"), Mounted(closes="nobody knows whether all is on the stick")]
)
async def test_what_is_perhaps_not_on_it_is_not_counted(village: Village, door: Mounted) -> None:
    """Root could not open it, or not end it well: staff hear of no file, and the next stick gets all of it again."""
    village.live(3)
    agent = carrier(village, door)
    async with forwarder(village):
        await agent.swap(village.stick)
        assert (agent.files, agent.why) == (0, "broken")
        await (again := carrier(village)).swap(village.stick)
        assert (again.first, again.last, again.why) == (1, 3, "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a stick of its own")
async def test_a_full_stick_keeps_no_half_file(village: Village) -> None:
    """A real file system that runs full: said so, no part of a file is left on it, and the rows wait for the next."""
    village.live(2000)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(village.stick)]
    if (await trio.run_process(mount, capture_stderr=True, check=False)).returncode:
        pytest.skip("no mounts in this container")
    try:
        (village.stick / FLEETS).touch()
        async with forwarder(village) as agent:
            await agent.swap(village.stick)
        assert (agent.files, agent.why) == (0, "full")
        assert [path.name for path in village.stick.iterdir()] == [FLEETS]
    finally:
        await trio.run_process(["umount", str(village.stick)])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
async def test_half_a_bundle_is_refused_by_the_agency(village: Village, share: float) -> None:
    """Pulled in the middle, and its table says that the file is there: nothing of it is booked, the next stick is."""
    village.live(5)
    async with forwarder(village) as agent:
        await agent.swap(village.stick)
        (bundle,) = village.stick.glob("*.bundle")
        whole = bundle.read_bytes()
        bundle.write_bytes(whole[: int(len(whole) * share)])
        assert village.import_stick() != 0 and village.kept() == 0
        await agent.swap(village.stick)
    assert village.import_stick() == 0 and village.kept() == 5


async def test_no_word_makes_the_forwarder_write_elsewhere(village: Village) -> None:
    """A row's number is all that may be said; nothing of the question becomes a path."""
    village.live(3)
    rows = RowsOut(village.settings)
    for about in ("-1", "1 /etc", "../x", "", "٣x"):
        assert "refused" in await rows.bundle(about)


def reachable() -> bool:
    done = subprocess.run([sys.executable, "-c", "import provisioning"], cwd=HOUSE, user=NOBODY, capture_output=True)
    return done.returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes processes of two users")
async def test_the_agents_user_carries_what_it_may_not_read(village: Village) -> None:
    """Rows leave through a user who cannot open the journal."""
    if not reachable():
        pytest.skip("this source lies where another user cannot read it")
    village.live(5)
    run_dir = Path(village.settings.run_dir)
    for path, owner in ((run_dir, 0), (run_dir / "forward", 0), (run_dir / "agent", NOBODY)):
        os.chown(path, owner, SHARED)
        path.chmod(0o2750)
    village.folder.chmod(0o711)
    os.chown(village.stick, NOBODY, NOBODY)
    told = [run_dir, village.stick, village.folder / "data" / "journal.db"]
    (village.folder / "data").chmod(0o711)
    async with forwarder(village):
        forward_path(village.settings.run_dir).chmod(0o660)
        done = await trio.run_process(
            [sys.executable, "-c", AS_AGENT, *map(str, told)], cwd=HOUSE, capture_stdout=True,
            user=NOBODY, group=NOBODY, extra_groups=[SHARED],
        )  # fmt: skip
    assert json.loads(done.stdout) == [1, "", "", False]
    assert village.import_stick() == 0 and village.kept() == 5
