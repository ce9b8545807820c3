"""A key block that meets a pad that is only starting: it waits, is tried once, and its own time is its only end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import trio
from trio.testing import MockClock

from kiosk.agent.for_agent import ForAgent
from kiosk.basics.control import kiosk_path, serve_control
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceFault
from provisioning.rules.keys import KeyBlock
from provisioning.terminal.house import House
from provisioning.terminal.key_blocks import KeyBlocks
from tests.agent.stand import CITY, NOW, TERMINAL
from tests.agent.test_key_blocks import ASKED, BLOCK, Fleet, signed
from tests.flows.fittings import FakePad
from tests.flows.people import KioskInMemory


class LatePad(FakePad):
    """Says that it is ready before it can be used, as a driver that still reads the pad's serial number; unwraps."""

    key_forms = frozenset({"master"})

    def __init__(self) -> None:
        super().__init__()
        self.found, self.loads = trio.Event(), 0

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        assert self.context is not None
        if not self.broken:
            self.context.report(Health(Condition.READY))
        await self.found.wait()
        await super().run(task_status)

    async def import_wrapped_key(self, form: str, master: int, slot: int, block: bytes) -> bytes:
        await trio.lowlevel.checkpoint()
        self.loads += 1
        return bytes.fromhex(BLOCK.check_value)


def word_of(kiosk: KioskInMemory) -> ForAgent:
    return ForAgent(kiosk.desk, lambda: 0, lambda: None, "0.1.0")


def wire(block: KeyBlock = BLOCK) -> str:
    return msgspec.json.encode(block).decode()


async def test_it_waits_for_the_pad_and_is_tried_once(autojump_clock: MockClock) -> None:
    """Before the pad was opened, and while it is, nothing is tried and nothing journaled; then it is loaded once."""
    pad = LatePad()
    kiosk = KioskInMemory({}, pad=pad)
    word = word_of(kiosk)
    assert await word.load_key(wire()) == {"refused": "starting"}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kiosk.supervisor.run)
        await trio.sleep(1)
        assert kiosk.supervisor.health("pin_pad").condition is Condition.READY
        assert await word.load_key(wire()) == {"refused": "starting"}
        assert "key_load_answered" not in kiosk.journal.names()
        pad.found.set()
        await kiosk.supervisor.wait_tried()
        assert (await word.load_key(wire()))["result"] == "done"
        nursery.cancel_scope.cancel()
    assert (pad.loads, kiosk.journal.names().count("key_load_answered")) == (1, 1)


@asynccontextmanager
async def its_pad_tried(kiosk: KioskInMemory) -> AsyncIterator[None]:
    """It runs, and has looked for its pad."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kiosk.supervisor.run)
        await kiosk.supervisor.wait_tried()
        await trio.sleep(0.1)
        yield
        nursery.cancel_scope.cancel()


async def test_a_pad_found_out_of_order_is_an_answer(autojump_clock: MockClock) -> None:
    """Whoever sent the block reads that nothing was loaded, and why."""
    pad = LatePad()
    pad.broken = Health(Condition.FAULT, "tampered")
    pad.found.set()
    kiosk = KioskInMemory({}, pad=pad)
    async with its_pad_tried(kiosk):
        told = await word_of(kiosk).load_key(wire())
    assert (told["result"], told["why"], pad.loads) == ("failed", "tampered", 0)


async def test_an_absent_pad_is_waited_for_also_across_a_power_cut(autojump_clock: MockClock) -> None:
    """Unplugged: nothing is tried, answered or journaled. The power goes while it waits; then the same block comes
    again, waits again, and is loaded once when the pad is back."""
    acts = list[str]()
    for back in (False, True):
        pad = LatePad()
        pad.broken = Health(Condition.ABSENT, "line_lost")
        pad.found.set()
        kiosk = KioskInMemory({}, pad=pad)
        async with its_pad_tried(kiosk):
            assert await word_of(kiosk).load_key(wire()) == {"refused": "absent"}
            assert (pad.loads, "key_load_answered" in kiosk.journal.names()) == (0, False)
            if back:
                pad.broken = None
                with trio.fail_after(900):
                    while "refused" in (told := await word_of(kiosk).load_key(wire())):
                        await trio.sleep(1)
                assert told["result"] == "done"
        acts += kiosk.journal.names()
        assert pad.loads == int(back)
    assert acts.count("key_load_answered") == 1


async def test_a_place_without_pad_is_an_answer(autojump_clock: MockClock) -> None:
    """No pad will ever come there."""
    kiosk = KioskInMemory({})
    del kiosk.supervisor.slots["pin_pad"]
    told = await word_of(kiosk).load_key(wire())
    assert (told["result"], told["why"]) == ("failed", "not_fitted")


async def test_a_load_whose_end_is_unknown_is_not_repeated(autojump_clock: MockClock) -> None:
    """A pad that went silent over the block may have it: the answer says so, no second load is sent from here, and the
    journal keeps the place in doubt."""

    class SilentPad(LatePad):
        async def import_wrapped_key(self, form: str, master: int, slot: int, block: bytes) -> bytes:
            await super().import_wrapped_key(form, master, slot, block)
            raise DeviceFault("pin_pad", Health(Condition.UNKNOWN, "silent"))

    pad = SilentPad()
    pad.found.set()
    kiosk = KioskInMemory({}, pad=pad)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kiosk.supervisor.run)
        await kiosk.supervisor.wait_tried()
        told = await word_of(kiosk).load_key(wire())
        nursery.cancel_scope.cancel()
    assert (told["result"], told["why"], pad.loads) == ("failed", "silent", 1)
    assert [facts["doubtful"] for act, _, facts in kiosk.journal.acts if act == "key_load_answered"] == ["0/2"]


@pytest.mark.parametrize("days", [1, 60])
async def test_the_fleet_hears_nothing_until_its_time_is_over(tmp_path: Path, days: int) -> None:
    """Over the kiosk's own socket: the block stays with the fleet, which tells of it again; past its end it is
    refused, pad or no pad."""
    kiosk = KioskInMemory({}, pad=LatePad())
    fleet, lines = Fleet(signed()), list[dict[str, object]]()
    house = House(str(tmp_path), str(tmp_path))
    keys = {CITY.name: CITY.key.public_key()}
    agent = KeyBlocks(
        fleet,  # type: ignore[arg-type]  # as much of a link as is asked
        "/x", TERMINAL, keys, house.load_key, lambda: NOW + timedelta(days=days),
        lambda event, **fields: lines.append({"event": event, **fields}),
    )  # fmt: skip
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_control, kiosk_path(str(tmp_path)), {}, word_of(kiosk).told)
        await agent.take(ASKED)
        nursery.cancel_scope.cancel()
    if days < 30:
        assert fleet.told == []
        assert lines == [{"event": "key_block_waits", "why": "the kiosk says: starting"}]
    else:
        assert [one["result"] for one in fleet.told] == ["refused"]
