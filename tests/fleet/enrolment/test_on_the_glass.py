"""From a box out of its carton to a known terminal: real fleet, real agent, real kiosk on a real glass."""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import segno
import trio
from PIL import Image

from kiosk.basics.control import ControlSilent, agent_path, ask_control, kiosk_path
from provisioning.fleet.actor import Actor
from provisioning.fleet.database import open_database
from provisioning.fleet.enrolment.requests import confirm
from provisioning.fleet.schema.places import Place
from provisioning.fleet.settings import load_settings
from provisioning.fleet.web import now_ms
from provisioning.rules.enrolment import read_qr
from simulators.display import Display, open_display
from simulators.kiosk_settings import as_toml
from simulators.waiting import until, until_child
from tests.fleet.front import running_fleet

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SERIAL, WAIT_S = "YKT-2026-000451", 90.0
DARK = (0x13, 0x21, 0x2B)


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="ykg"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def local_facts(folder: Path, url: str, ca: Path, console: str) -> Path:
    """What an image says of a bare box: its panel, its serial number, where the fleet is. No hosts, no city."""
    path = folder / "local.toml"
    agent = {"home": str(folder / "agent"), "serial": SERIAL, "url": url, "ca": str(ca), "console_url": console}
    path.write_text(as_toml({"run_dir": str(folder / "run"), "data_dir": str(folder / "data"), "agent": agent}))
    for name in ("run", "data"):
        (folder / name).mkdir()
    return path


async def standing(folder: Path) -> dict[str, Any]:
    try:
        told = await ask_control(agent_path(str(folder / "run")), "standing")
    except ControlSilent:
        return {}
    return dict(told)


def is_on(picture: Image.Image, content: str) -> bool:
    """Whether the glass shows this code: every module of it is where the first dark square says."""
    matrix = segno.make(content, error="m", micro=False, boost_error=False).matrix
    dark = [(x, y) for y in range(picture.height) for x in range(picture.width) if picture.getpixel((x, y)) == DARK]
    rows = [y for y in sorted({y for _, y in dark}) if sum(one == y for _, one in dark) > 50]
    return any(_matches(picture, matrix, x, y, step) for step in range(6, 16) for x, y in _corners(dark, rows, step))


def _corners(dark: list[tuple[int, int]], rows: list[int], step: int) -> list[tuple[int, int]]:
    """Upper left corners of finder patterns: seven modules of dark in a row that nothing precedes."""
    here = set(dark)
    return [
        (x, y)
        for x, y in dark
        if y in rows[:60] and (x - 1, y) not in here and (x, y - 1) not in here and (x + 7 * step - 1, y) in here
        and (x + 7 * step, y) not in here
    ]  # fmt: skip


def _matches(picture: Image.Image, matrix: Any, left: int, top: int, step: int) -> bool:
    middle = step // 2
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            at = (left + x * step + middle, top + y * step + middle)
            if at[0] >= picture.width or at[1] >= picture.height or (picture.getpixel(at) == DARK) != bool(dark):
                return False
    return True


async def until_shown(display: Display, content: str) -> None:
    with trio.fail_after(WAIT_S):
        while not await trio.to_thread.run_sync(is_on, display.picture(), content):
            await trio.sleep(0.5)


async def test_a_box_out_of_its_carton(folder: Path) -> None:
    """Its glass shows the code that the console's page wants; confirmed, it is known, fetches its settings, and its
    kiosk ends to start anew with them."""
    async with running_fleet(folder, people=True, terminals=0, certificates=0) as (fleet, children):
        plan = fleet.plan
        console = plan.console_url.removesuffix("/console/")
        local = local_facts(folder, plan.device_url, plan.pki.certificate("fleet-ca"), console)
        display = await open_display(children, folder, 1080, 1920)
        children.start("agent", [sys.executable, "-m", "kiosk", "agent", "--settings", str(local)])
        settings = folder / "agent" / "settings" / "current" / "settings.toml"
        await until(settings.exists, WAIT_S, "settings of local facts")
        run = [sys.executable, "-m", "kiosk", "run", "--settings", str(settings)]
        kiosk = children.start("kiosk", run, env={"DISPLAY": display.name})
        await until_child(kiosk, (folder / "run" / "ready").exists, WAIT_S, "the kiosk is there")
        assert await ask_control(kiosk_path(str(folder / "run")), "pause 5") == "paused"
        told = await standing(folder)
        assert (told["serial"], read_qr(told["qr"])) == (SERIAL, (SERIAL, told["fingerprint"]))
        assert told["qr"].startswith(f"{console}/console/enrolment?")
        await until_shown(display, told["qr"])
        open_database(load_settings(plan.settings).database_url)
        place = Place.get((Place.tenant == plan.city) & Place.parent.is_null())
        confirm(Actor(plan.city, "person:operator"), told["fingerprint"], "T0000451", place.id, now_ms())
        with trio.fail_after(WAIT_S):
            await kiosk.wait()
        assert (await standing(folder))["said"] == "known"
        rows = json.loads((folder / "agent" / "identity" / "happened.json").read_bytes())
        assert [row["what"] for row in rows] == ["certificate"]
