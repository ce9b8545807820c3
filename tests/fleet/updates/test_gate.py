"""New software is judged by the kiosk's own word, over its real socket, against how it was before."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from provisioning.terminal.house import House
from provisioning.terminal.updates.gate import KioskGate
from tests.agent.stand import KioskOnSockets

SETTINGS = 'run_dir = "/run/x"\ndata_dir = "/data/x"\n'
APPLICATION = "application"


@asynccontextmanager
async def kiosk_of(folder: Path) -> AsyncIterator[tuple[KioskOnSockets, KioskGate]]:
    settings = folder / "settings.toml"
    settings.write_text(SETTINGS)
    (folder / "run").mkdir()
    kiosk = KioskOnSockets(folder, settings, broken_slots={"worse": "pin_pad"})
    gate = KioskGate(House(kiosk.run_dir, str(folder)), allowed_s=1.0, look_every_s=0.02, again_s=0.02)
    async with trio.open_nursery() as nursery:
        await nursery.start(kiosk.run)
        with trio.fail_after(20):
            while not await gate.look(APPLICATION):
                await trio.sleep(0.01)
        yield kiosk, gate
        nursery.cancel_scope.cancel()


async def test_kiosk_that_is_as_before_is_well(tmp_path: Path) -> None:
    """It starts anew once, is compared with its look before, and is not started a second time after a power cut."""
    async with kiosk_of(tmp_path) as (kiosk, gate):
        before = await gate.look(APPLICATION)
        assert await gate.healthy(APPLICATION, before) == "the kiosk did not start anew"
        await gate.restart(APPLICATION, before)
        assert await gate.healthy(APPLICATION, before) == ""
        await gate.restart(APPLICATION, before)
        assert kiosk.starts == 2


async def test_kiosk_with_a_slot_less_is_not_well(tmp_path: Path) -> None:
    """A device that worked before and does not now is a reason to go back, by name."""
    async with kiosk_of(tmp_path) as (kiosk, gate):
        before = await gate.look(APPLICATION)
        kiosk.settings_path.write_text(SETTINGS + "# worse\n")
        await gate.restart(APPLICATION, before)
        assert await gate.healthy(APPLICATION, before) == "slot pin_pad is fault"


@pytest.mark.parametrize("why", ["serving", "under_way"])
async def test_nobody_is_thrown_out(tmp_path: Path, why: str) -> None:
    """Somebody who is quicker than the end is served first; the kiosk starts anew when they are gone."""
    async with kiosk_of(tmp_path) as (kiosk, gate):
        before = await gate.look(APPLICATION)
        kiosk.comes_before_the_end = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(gate.restart, APPLICATION, before)
            with trio.fail_after(20):
                while kiosk.busy != "serving":
                    await trio.sleep(0.01)
            assert kiosk.starts == 1
            kiosk.busy = why
            await trio.sleep(0.1)
            assert kiosk.starts == 1
            kiosk.busy = ""
        assert await gate.healthy(APPLICATION, before) == ""
        assert kiosk.starts == 2
