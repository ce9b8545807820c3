"""The power is cut at every effect of an update: afterwards the old or the new version runs, whole, and it goes on."""

import hashlib
import shutil
from pathlib import Path

import pytest

from provisioning.rules.releases import read_manifest
from provisioning.terminal.updates.boot import STARTS, count_start
from tests.fleet.updates.bundles import bundle
from tests.fleet.updates.cut_disk import CutDisk, PowerCut
from tests.fleet.updates.office import Office
from tests.fleet.updates.stand import TERMINAL, Terminal

EFFECTS_MAX = 200


def whole(folder: Path) -> bool:
    """Whether the generation that runs is what its manifest says."""
    if not (folder / "current").exists():
        return not (folder / "current").is_symlink()
    running = folder / "current"
    manifest = read_manifest((running / "manifest.json").read_bytes())
    return all(
        hashlib.sha256((running / name).read_bytes()).hexdigest() == file.sha256
        for name, file in manifest.files.items()
    )


async def until_told(terminal: Terminal) -> None:
    for _ in range(6):
        await terminal.tend()
    assert not terminal.updates.busy


SICK = pytest.param("the card reader does not open", marks=pytest.mark.slow)


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("sick", ["", SICK])
async def test_cut_at_every_effect(quick: Path, torn: bool, sick: str, autojump_clock: object) -> None:
    """Whatever the cut left, the next start runs a whole version, and the update ends as it would have ended."""
    office = Office(quick)
    office.begin()
    contents = {version: bundle(version) for version in ("1.0.0", "1.1.0")}
    for version, content in contents.items():
        office.release(version, content)
    before = Terminal(quick / "before", office)
    before.hawkbit.offer(TERMINAL, "1.0.0", "application-1.0.0.tar.gz", contents["1.0.0"])
    await before.tend()
    for at in range(1, EFFECTS_MAX):
        shutil.copytree(before.home, quick / f"{at}", symlinks=True)
        terminal = Terminal(quick / f"{at}", office, sick=sick, runs="1.0.0")
        action = terminal.hawkbit.offer(TERMINAL, "1.1.0", "application-1.1.0.tar.gz", contents["1.1.0"])
        action.id = f"1{action.id}"
        terminal.hawkbit.actions = {action.id: action}
        terminal.power_on(CutDisk(at, torn))
        try:
            await until_told(terminal)
            break
        except PowerCut:
            terminal.boot()
        assert whole(terminal.home / "application"), f"cut at effect {at}"
        assert terminal.runs in ("1.0.0", "1.1.0")
        await until_told(terminal)
        assert action.status == ("error" if sick else "finished"), f"cut at effect {at}"
        assert terminal.installer.running() == ("1.0.0" if sick else "1.1.0")
        assert terminal.installer.trial() is None
        assert whole(terminal.home / "application")
    assert at > 40, "the update has that many effects at least"


async def test_version_that_never_comes_up_goes_back(
    terminal: Terminal, office: Office, autojump_clock: object
) -> None:
    """Kiosk and agent of a new version that end at every start are gone after a few starts, and the fleet hears it."""
    content = bundle("1.0.0")
    office.release("1.0.0", content)
    action = terminal.hawkbit.offer(TERMINAL, "1.0.0", "application-1.0.0.tar.gz", content)

    async def power_cut(kind: str, before: str) -> None:
        raise PowerCut

    terminal.flow.house.restart = power_cut
    with pytest.raises(PowerCut):
        await terminal.tend()
    assert [terminal.boot() for _ in range(STARTS + 2)] == [*["counted"] * STARTS, "returned", ""]
    assert terminal.runs == "0.9.0"
    await until_told(terminal)
    assert action.status == "error"
    assert action.history[-1]["status"]["details"] == ["returned: it did not come up"]


async def test_version_that_ends_at_every_start_is_not_kept(
    terminal: Terminal, office: Office, autojump_clock: object
) -> None:
    """While the agent waits for the new version, its starts are used up and the old one comes up: that is a return."""
    content = bundle("1.0.0")
    office.release("1.0.0", content)
    action = terminal.hawkbit.offer(TERMINAL, "1.0.0", "application-1.0.0.tar.gz", content)

    async def ends_at_every_start(kind: str, before: str) -> None:
        terminal.restarts.append(before)
        while before and count_start(terminal.home / "application") != "returned":
            continue

    terminal.flow.house.restart = ends_at_every_start
    await until_told(terminal)
    assert terminal.installer.running() == "0.9.0"
    assert action.status == "error"
    assert not terminal.flow.starts_anew
    assert terminal.restarts == ["0.9.0", ""]  # the second for what still ran of it


async def test_version_whose_agent_is_dead_goes_back(
    terminal: Terminal, office: Office, autojump_clock: object
) -> None:
    """A version whose kiosk is well and whose agent ends at every start is not kept: nobody could reach it any more."""
    content = bundle("1.0.0")
    office.release("1.0.0", content)
    action = terminal.hawkbit.offer(TERMINAL, "1.0.0", "application-1.0.0.tar.gz", content)
    await terminal.updates.tend()
    assert (terminal.runs, terminal.flow.starts_anew) == ("1.0.0", True)
    assert terminal.installer.trial() is not None
    assert action.status == "running"
    while count_start(terminal.home / "application") != "returned":
        continue
    terminal.agent_anew()
    await until_told(terminal)
    assert terminal.installer.running() == "0.9.0"
    assert terminal.runs == "0.9.0"
    assert action.status == "error"


async def test_cut_in_the_middle_of_counting(terminal: Terminal, office: Office, autojump_clock: object) -> None:
    """A start that is cut off before the kiosk came up counts as one; what was cut off in the switch is settled."""
    content = bundle("1.0.0")
    office.release("1.0.0", content)
    terminal.hawkbit.offer(TERMINAL, "1.0.0", "application-1.0.0.tar.gz", content)
    terminal.busy = "somebody is served"
    await terminal.tend()
    await terminal.installer.switch()
    (terminal.home / "application" / "current").unlink()  # as if the link had not turned
    assert terminal.boot() == "settled"
    assert terminal.installer.trial() is None
    terminal.busy = ""
    await until_told(terminal)
    assert terminal.installer.running() == "1.0.0"
