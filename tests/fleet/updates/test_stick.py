"""Updates from a USB stick for a place without a line, and sticks that somebody prepared."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioning.fleet.updates.stick import write_stick
from provisioning.rules.releases import APPLICATION
from provisioning.terminal.updates.stick import FOLDER
from tests.fleet.updates.bundles import bundle
from tests.fleet.updates.office import Office
from tests.fleet.updates.stand import TERMINAL, Terminal


@pytest.fixture
def stick(office: Office, terminal: Terminal, tmp_path: Path) -> Path:
    """Written by the fleet, with one release, for a terminal whose line is down."""
    office.release("1.0.0", bundle("1.0.0"))
    terminal.line.dark = True
    path = tmp_path / "stick"
    path.mkdir()
    write_stick(office.repository, path)
    return path


def software(stick: Path) -> Path:
    (file,) = (stick / FOLDER / "targets").iterdir()
    return file


async def test_stick_updates_a_dark_terminal(terminal: Terminal, stick: Path) -> None:
    """What two people signed is installed from a stick; rows go out first, and the fleet hears of it later."""
    brought = await terminal.bring(stick)
    assert (brought.version, brought.why) == ("1.0.0", "")
    assert terminal.installer.running() == "1.0.0"
    assert terminal.swapped == [stick]
    terminal.line.dark = False
    await terminal.tend()
    assert terminal.hawkbit.installed[TERMINAL] == {"name": "application-1.0.0.tar.gz", "version": "1.0.0"}
    assert not terminal.updates.busy


async def test_stick_without_news(terminal: Terminal, stick: Path) -> None:
    """The same stick a second time takes rows out and changes nothing."""
    await terminal.bring(stick)
    again = await terminal.bring(stick)
    assert (again.version, again.why) == ("", "")
    assert terminal.swapped == [stick, stick]
    assert terminal.restarts == ["application"]


async def test_stick_takes_no_terminal_back(terminal: Terminal, office: Office, stick: Path) -> None:
    """An older release on a stick is passed over, though it is signed: back is the fleet's to say."""
    office.release("1.1.0", bundle("1.1.0"))
    write_stick(office.repository, stick)
    await terminal.bring(stick)
    assert terminal.installer.running() == "1.1.0"
    shutil.rmtree(stick / FOLDER)
    write_stick(office.repository, stick, ["application-1.0.0.tar.gz"])
    assert (await terminal.bring(stick)).version == ""
    assert terminal.installer.running() == "1.1.0"


async def test_stick_brings_fresh_dates(terminal: Terminal, office: Office, stick: Path) -> None:
    """A terminal that was dark for a month trusts a stick with a fresh timestamp, and no older one after it."""
    old = stick.parent / "old"
    shutil.copytree(stick, old)
    office.pass_days(30)
    assert (await terminal.bring(stick)).why == "expired"
    office.refresh()
    write_stick(office.repository, stick)
    assert (await terminal.bring(stick)).version == "1.0.0"
    assert (await terminal.stick.bring(old)).why in ("older", "expired")
    assert terminal.recorded[-1].why.startswith("stick: ")


async def test_stick_waits_for_the_visit(terminal: Terminal, stick: Path) -> None:
    """While somebody is served it is copied, and installed by the agent as soon as nobody is."""
    terminal.busy = "a resident is being served"
    brought = await terminal.bring(stick)
    assert (brought.version, brought.why) == ("", "a resident is being served")
    shutil.rmtree(stick)
    terminal.busy = ""
    await terminal.tend()
    assert terminal.installer.running() == "1.0.0"


async def test_sick_version_from_a_stick_goes_back(terminal: Terminal, stick: Path) -> None:
    """The health gate is the same whoever brought the software."""
    terminal.sick = "the kiosk does not answer"
    brought = await terminal.bring(stick)
    assert (brought.why, brought.words) == ("returned", "the kiosk does not answer")
    assert terminal.installer.running() == "0.9.0"


def _link_to_secret(file: Path) -> None:
    file.unlink()
    file.symlink_to("/etc/shadow")


def _link_to_metadata(file: Path) -> None:
    timestamp = file.parents[1] / "timestamp.json"
    timestamp.rename(timestamp.with_name("real"))
    timestamp.symlink_to("real")


def _pipe(file: Path) -> None:
    timestamp = file.parents[1] / "timestamp.json"
    timestamp.unlink()
    os.mkfifo(timestamp)


def _folder(file: Path) -> None:
    timestamp = file.parents[1] / "timestamp.json"
    timestamp.unlink()
    timestamp.mkdir()


def _huge_metadata(file: Path) -> None:
    with (file.parents[1] / "timestamp.json").open("wb") as huge:
        huge.truncate(1 << 40)


def _huge_software(file: Path) -> None:
    with file.open("r+b") as huge:
        huge.truncate(1 << 40)


def _cut_short(file: Path) -> None:
    with file.open("r+b") as short:
        short.truncate(100)


def _other_bytes(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def _own_list(file: Path) -> None:
    targets = file.parents[1] / "2.targets.json"
    targets.write_bytes(targets.read_bytes().replace(b'"version":"1.0.0"', b'"version":"9.0.0"'))


def _no_snapshot(file: Path) -> None:
    (file.parents[1] / "2.snapshot.json").unlink()


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        (_link_to_metadata, "not_a_file"),
        (_pipe, "not_a_file"),
        (_folder, "not_a_file"),
        (_huge_metadata, "too_long"),
        (_huge_software, "wrong_length"),
        (_cut_short, "wrong_length"),
        (_other_bytes, "wrong_content"),
        (_own_list, "mixed"),
        (_no_snapshot, "missing"),
    ],
)
async def test_refused_stick(terminal: Terminal, stick: Path, prepare: Callable[[Path], None], code: str) -> None:
    """A stick that somebody prepared installs nothing, is read no further than it may be long, and stands on record."""
    prepare(software(stick))
    brought = await terminal.bring(stick)
    assert brought.why == code
    assert terminal.recorded[-1].what == "refused"
    assert terminal.installer.running() == "0.9.0"


async def test_refused_link_for_software(terminal: Terminal, stick: Path) -> None:
    """A link in the place of the software is not followed, wherever it leads."""
    _link_to_secret(software(stick))
    brought = await terminal.bring(stick)
    assert brought.why == "not_a_file"
    assert not terminal.flow.download.part_of(terminal.trust.kept().targets[0]).exists()


async def test_nothing_on_a_stick_is_run(terminal: Terminal, stick: Path) -> None:
    """Programs on a stick stay where they are: nothing beside the repository is even opened."""
    mark = stick.parent / "ran"
    for name in ("autorun.sh", "yikatong/update.sh", "yikatong/tuf/sitecustomize.py", "yikatong/tuf/targets/x.pth"):
        (stick / name).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (stick / name).chmod(0o755)
    assert (await terminal.bring(stick)).version == "1.0.0"
    assert not mark.exists()


async def test_stick_that_is_pulled_out(terminal: Terminal, stick: Path) -> None:
    """A stick that ends in the middle leaves the old version, and the next one brings the new."""
    shutil.rmtree(stick / FOLDER / "targets")
    brought = await terminal.bring(stick)
    assert (brought.version, terminal.installer.running()) == ("", "0.9.0")
    write_stick(terminal.office.repository, stick)
    assert (await terminal.stick.bring(stick, APPLICATION)).version == "1.0.0"
