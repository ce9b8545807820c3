"""Two bundles of this source, installed for real: their programs read the settings and work on one journal."""

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from offline_queue.layout import BACK_TO, LAYOUT
from offline_queue.reader import open_reader
from offline_queue.verify import verify
from provisioning.fleet.updates.bundle import PACKAGES, build
from provisioning.rules.releases import Journal
from provisioning.terminal.disk import Disk
from provisioning.terminal.updates import boot
from provisioning.terminal.updates.application import ApplicationInstaller, BuiltIn
from provisioning.terminal.updates.refused import UpdateRefused
from provisioning.terminal.updates.tending import reads_settings
from tests.fleet.updates.office import Office, refreshed

HOUSE = Path(__file__).parents[3]
SETTINGS = 'run_dir = "/run/x"\ndata_dir = "/data/x"\n'
WORK = """
import json, sys
from datetime import datetime
from importlib.metadata import entry_points, version
from pathlib import Path
import offline_queue.layout
from offline_queue.journal import SqliteJournal
journal = SqliteJournal(Path(sys.argv[1]), lambda: datetime.fromisoformat("2026-11-22T09:00:00+08:00"))
journal.owe_notice("card_platform", "loss_report", sys.argv[2], card_number="B00000131")
drivers = [one.name for one in entry_points(group="yikatong.drivers")]
layout = offline_queue.layout
told = {"at": layout.__file__, "layout": layout.LAYOUT, "version": version("yikatong"), "drivers": len(drivers)}
print(json.dumps({**told, "unsent": journal.outbox.unsent().count}))
journal.close()
"""


def next_version(folder: Path) -> Path:
    """This source with one more column in the journal, as the next version may bring one."""
    for name in PACKAGES:
        shutil.copytree(HOUSE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "fleet"))
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(HOUSE / name, folder / name)
    layout = folder / "offline_queue" / "layout.py"
    told = layout.read_text()
    more = 'if "later" not in {name for _, name, *_ in sql("pragma table_info(notice)")}:\n            '
    more += "sql(\"alter table notice add column later text not null default ''\")\n        sql(_ONE_INDEX)"
    layout.write_text(told.replace("sql(_ONE_INDEX)", more).replace(f"LAYOUT = {LAYOUT}", f"LAYOUT = {LAYOUT + 1}"))
    assert layout.read_text() != told
    return folder


def work(application: Path, journal: Path, key: str) -> dict[str, object]:
    """One notice owed by the generation that is in force, in a process as systemd would start it."""
    env = boot.environment(application, {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    command = [sys.executable, "-P", "-c", WORK, str(journal), key]
    done = subprocess.run(command, env=env, cwd="/", capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


async def test_unsent_rows_survive_an_update_and_its_return(quick: Path) -> None:
    """Old, new, old on one journal file: no row is lost, the chain is whole, and each reads what the other left."""
    office, application, journal = Office(quick), quick / "application", quick / "journal"
    office.begin()
    (quick / "next").mkdir()
    office.release("1.0.0", build(HOUSE, "1.0.0"))
    office.release("1.1.0", build(next_version(quick / "next"), "1.1.0"))
    settings = quick / "settings.toml"
    settings.write_text(SETTINGS)
    allowed = await refreshed(office.trust(quick / "tuf"), office)
    built_in = BuiltIn("0.9.0", Journal(layout=LAYOUT, back_to=BACK_TO))
    installer = ApplicationInstaller(application, Disk(), built_in, partial(reads_settings, settings=settings))
    for target in allowed.targets:
        await installer.write(office.repository.folder / target.path, target)
        await installer.switch()
        if target.version == "1.0.0":
            await installer.keep()
            old = work(application, journal, "0199-old")
    new = work(application, journal, "0199-new")
    await installer.go_back("the drill")
    again = work(application, journal, "0199-again")
    assert [told["version"] for told in (old, new, again)] == ["1.0.0", "1.1.0", "1.0.0"]
    assert [told["layout"] for told in (old, new, again)] == [LAYOUT, LAYOUT + 1, LAYOUT]
    assert [told["unsent"] for told in (old, new, again)] == [1, 2, 3]
    assert old["drivers"] == new["drivers"] == 12
    assert str(old["at"]).startswith(str(application.resolve() / "a"))
    assert str(new["at"]).startswith(str(application.resolve() / "b"))
    reader = open_reader(journal)
    assert verify(reader.connection, reader.public_key, root=reader.root).whole
    settings.write_text('moon = "full"\n' + SETTINGS)
    with pytest.raises(UpdateRefused, match="moon"):
        await installer.write(office.repository.folder / allowed.targets[1].path, allowed.targets[1])


def test_a_process_keeps_its_version(tmp_path: Path) -> None:
    """What starts a process looks the link up once: when the link turns, a late import still finds its own version."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "late.py").write_text(f"NAME = {name!r}\n")
    (tmp_path / "current").symlink_to("a")
    program = "import os, sys; os.unlink(sys.argv[1]); os.symlink('b', sys.argv[1]); import late; print(late.NAME)"
    command = [sys.executable, boot.__file__, str(tmp_path), "run", sys.executable, "-c", program]
    done = subprocess.run([*command, str(tmp_path / "current")], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), str((tmp_path / "current").readlink())) == ("a", "b")
