"""The agent's task: it tends at the fleet's word, by itself while something waits, and when a stick is put in."""

from pathlib import Path

import trio

from provisioning.fleet.updates.stick import write_stick
from provisioning.rules.poll import PollAnswer
from provisioning.terminal.updates.tending import Tending
from tests.fleet.updates.bundles import bundle
from tests.fleet.updates.office import Office
from tests.fleet.updates.stand import TERMINAL, Terminal

ANSWER = PollAnswer(time="2026-11-22T08:00:00+00:00", sleep_s=300, action="1")


def offered(terminal: Terminal) -> None:
    content = bundle("1.0.0")
    terminal.office.release("1.0.0", content)
    terminal.hawkbit.offer(TERMINAL, "1.0.0", "application-1.0.0.tar.gz", content, update="attempt")


async def test_task_ends_as_something_else_is_installed(terminal: Terminal) -> None:
    """An answer that names an action is followed, and the agent is to start anew as what it installed."""
    offered(terminal)
    terminal.at(4)
    tending = Tending(terminal.updates)
    await tending.errand(ANSWER)
    with trio.fail_after(30):
        await tending.run()
    assert terminal.installer.trial() is not None  # the one who keeps it is the next agent
    terminal.agent_anew()
    tending = Tending(terminal.updates)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tending.run)
        while terminal.updates.busy:
            await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    assert terminal.installer.trial() is None
    assert terminal.installer.running() == "1.0.0"
    told = tending.told()
    assert told["running"] == {"application": "1.0.0"}
    assert [what for _, what, _, _ in told["last"]] == ["loaded", "installed"]


async def test_task_goes_on_in_the_dark(terminal: Terminal, autojump_clock: object) -> None:
    """What was loaded by day is installed in the night, though nobody answers any more."""
    offered(terminal)
    terminal.at(13)
    await terminal.updates.tend()
    terminal.line.dark = True
    tending = Tending(terminal.updates, again_s=600)
    assert tending.told()["under_way"] == {"version": "1.0.0", "step": "ready", "waits": "night"}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tending.run)
        await trio.sleep(1300)
        assert terminal.installer.running() == "0.9.0"
        terminal.at(4, days=1)
    assert terminal.installer.running() == "1.0.0"


async def test_stick_that_is_put_in(terminal: Terminal, office: Office, tmp_path: Path) -> None:
    """A stick is noticed by itself and read once; a stick without a repository is none of the agent's."""
    office.release("1.0.0", bundle("1.0.0"))
    terminal.line.dark = True
    mount = tmp_path / "stick"
    mount.mkdir()
    tending = Tending(terminal.updates, terminal.stick, mount, again_s=0.01)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tending.run)
        await trio.sleep(0.1)
        assert terminal.swapped == []
        assert tending.told()["stick"] == ""
        write_stick(office.repository, mount)
    assert terminal.installer.running() == "1.0.0"
    assert terminal.swapped == [mount]
    assert tending.told()["stick"] == {"version": "1.0.0", "why": "", "words": ""}
    assert tending.bring_stick() == {"stick": "begun"}
