"""Two custodians at a whole terminal: their cards, their PINs and their parts at the same pad, the page on the glass.

Everything is real but the pad behind its line: kiosk process, serial line, card, and the process of PIN mode B, which
borrows the pad between the two parts.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trio
from psec import des

from kiosk.basics.control import ask_control, kiosk_path
from offline_queue.reader import open_reader
from simulators.smoke.glass import Glass
from simulators.smoke.hands import REACTION_S, Finger, type_pin
from simulators.stack import Plan, Stack, open_stack
from tests.cards.search import in_files, in_memory
from tests.pad_stand import MASTER

DEMO = Path(__file__).parents[2] / "simulators" / "worlds" / "demo.toml"
# As docs/devices/pin_pad_kmy.md gives them: together the TEST master key of the demo's bank.
PARTS = {"staff_jia": "A0F1B2E3C4D5968778695A4B3C2D1E0F", "staff_yi": "A1D2F7844D7E5B6886B5E0D34A792C1F"}


class Custodian:
    """One of staff, with a card and a paper."""

    def __init__(self, stack: Stack, glass: Glass, handle: str) -> None:
        self.stack, self.glass, self.finger = stack, glass, Finger(stack, glass)
        self.card = next(one for one in stack.world.staff if one.handle == handle)

    async def opens(self) -> None:
        await self.glass.until("not_open_out_of_service")
        await self.stack.insert(self.card.handle)
        await self.glass.until("staff_pin")
        await type_pin(self.stack, self.card.pin, "pin_pad")
        await self.glass.until("staff_menu")
        await trio.sleep(REACTION_S)
        self.stack.press(".")  # the next page of the menu
        await self.finger.answer("key")

    async def types(self) -> None:
        await self.glass.until("staff_key_ready")
        await self.finger.answer("ready")
        await self.glass.until("staff_key_part")
        keys = [f"f{'ABCDEF'.index(one) + 1}" if one in "ABCDEF" else one for one in PARTS[self.card.handle]]
        await type_pin(self.stack, keys, "pin_pad")

    async def reads(self, page: str, answer: str = "understood") -> None:
        await self.glass.until(page)
        await self.finger.answer(answer)

    async def leaves(self) -> None:
        await self.glass.until("staff_menu")
        await self.finger.answer("finish")
        await self.glass.until("take_card")
        await self.stack.pull()


@pytest.mark.slow
async def test_a_key_is_typed_compared_and_used() -> None:
    """Staff A types, staff B types and compares, staff A compares: the page says that the key is in use. The pad was
    asked for two parts, the key that it told zeros under is the one whose parts stand in the documents, and neither of
    them is anywhere but in the pad."""
    with TemporaryDirectory(prefix="yikatong-") as folder:
        async with open_stack(Plan(DEMO, Path(folder) / "run", screen_map=True)) as stack:
            glass = Glass(stack.kiosk_dir / "screen.json")
            first, second = (Custodian(stack, glass, handle) for handle in PARTS)
            await glass.until("insert_card", limit_s=60)
            assert await ask_control(kiosk_path(str(stack.kiosk_dir)), "out_of_service c-1") == "done"
            await first.opens()
            await first.reads("staff_key_choose", "bank_master")
            await first.types()
            await first.reads("staff_key_part_in")
            await first.leaves()
            await second.opens()
            await second.types()
            await second.reads("staff_key_check_value", "same")
            await second.reads("staff_key_other_compares")
            await second.leaves()
            await first.opens()
            await first.reads("staff_key_check_value", "same")
            await first.reads("staff_key_confirmed")
            await first.leaves()
            assert list(stack.hardware.pad.commands).count(0x23) == 2
            told = await ask_control(kiosk_path(str(stack.kiosk_dir)), "health")
            assert told["typed_keys"]["bank_master"]["in_doubt"] is False
            _no_part_left_the_pad(stack, Path(folder))
            value = des.generate_kcv(MASTER, 4).hex().upper()
            assert _confirmed(stack) == {
                "key": "bank_master", "first": "1001", "second": "1002", "staff": "1001", "master": 0,
                "check_value": value, "doubtful": "", "confirmed": f"bank_master={value}",
            }  # fmt: skip


def _no_part_left_the_pad(stack: Stack, folder: Path) -> None:
    """Neither in the kiosk's memory nor in anything that this run wrote, in any spelling; and the search can find."""
    assert stack.kiosk.pid, "it runs"
    planted = folder / "planted"
    planted.write_bytes(bytes.fromhex(PARTS["staff_yi"]))
    assert in_files(folder, PARTS["staff_yi"]) == [f"{planted}: bcd"]
    planted.unlink()
    for part in PARTS.values():
        assert in_files(folder, part) == []
        assert in_memory(stack.kiosk.pid, part) == []


def _confirmed(stack: Stack) -> dict[str, str | int] | None:
    """What the journal keeps of it."""
    reader = open_reader(stack.plan.run_dir / "data")
    (entry,) = [one for one in reader.entries() if one.act == "key_confirmed"]
    reader.connection.close()
    return entry.facts
