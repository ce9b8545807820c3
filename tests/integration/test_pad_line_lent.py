"""The pad's line goes to another reader and comes back: pins-and-keys mode B, over a pty."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from drivers.pin_pad.kmy.codec import Framing
from drivers.pin_pad.kmy.plain_entry import PlainEntryFailed, read_pin
from kiosk.domain.health import Condition, Health
from kiosk.domain.typed_keys import PartAnswer, PartEnd
from kiosk.ports import DeviceFault
from tests.pad_stand import MASTER, Simulator, Stand, expected_block, pad_on_pty
from tests.unit.test_kmy_components import FIRST, MASTER_0, SECOND, VALUE, typed

HOUSE = Path(__file__).parents[2]


async def enter_plain(
    stand: Stand, act: Callable[[], None], digits: tuple[int, int] = (6, 6), entry_s: float = 20.0
) -> tuple[bytearray | None, list[int]]:
    """Lend the line and read a PIN over it in a thread that stands for the short-lived process."""
    counts: list[int] = []

    async def press() -> None:
        await stand.until(lambda: stand.pad.lit)
        act()

    async with stand.driver.lend_line() as (fd, options), trio.open_nursery() as nursery:
        nursery.start_soon(press)
        framing = Framing.from_options(options)
        pin = await trio.to_thread.run_sync(read_pin, fd, framing, *digits, entry_s, counts.append)
        nursery.cancel_scope.cancel()
    return pin, counts


def presses(stand: Stand, *names: str) -> Callable[[], None]:
    def act() -> None:
        for name in names:
            stand.pad.press(name)

    return act


@pytest.mark.parametrize(("expand", "etx"), [(True, True), (True, False), (False, True), (False, False)])
async def test_a_pin_is_read_over_the_lent_line(tmp_path: Path, expand: bool, etx: bool) -> None:
    """Digits arrive there and nowhere else; afterwards plain mode is off and the driver serves as before."""
    async with pad_on_pty(tmp_path / "pad", Simulator({0: MASTER}, expand=expand, etx=etx)) as stand:
        pin, counts = await enter_plain(stand, presses(stand, *"739", "clear", *"1052", "enter"))
        assert pin == b"731052"
        assert counts == [0, 1, 2, 3, 2, 3, 4, 5, 6]
        assert stand.pad.mode == 0
        await stand.load_keys()
        assert await stand.enter("246810") == expected_block("246810")
        assert "731052" not in stand.log.getvalue()


async def test_the_second_custodians_pin_between_two_parts(tmp_path: Path) -> None:
    """The staff PIN is typed at the same pad in plain mode: the first part of a key waits in it all the while."""
    async with pad_on_pty(tmp_path / "pad", component_entry=True) as stand:
        assert await typed(stand, MASTER_0, 1, FIRST) == PartAnswer(PartEnd.IN)
        pin, _ = await enter_plain(stand, presses(stand, *"731052", "enter"))
        assert pin == b"731052"
        assert await typed(stand, MASTER_0, 2, SECOND) == PartAnswer(PartEnd.IN, VALUE)


IN_ANOTHER_PROCESS = """
import json, sys
from drivers.pin_pad.kmy.codec import Framing
from drivers.pin_pad.kmy.plain_entry import read_pin, wipe
counts = []
pin = read_pin(int(sys.argv[1]), Framing.from_options(json.loads(sys.argv[2])), 6, 6, 20.0, counts.append)
print(json.dumps([counts, sum(pin), "trio" in sys.modules, "serial" in sys.modules]))
wipe(pin)
"""


async def test_the_descriptor_works_in_another_process(tmp_path: Path) -> None:
    """A child that inherits it reads the PIN, and needs neither the event loop nor pyserial for that."""
    async with pad_on_pty(tmp_path / "pad") as stand, trio.open_nursery() as nursery:

        async def press() -> None:
            await stand.until(lambda: stand.pad.lit)
            presses(stand, *"246810", "enter")()

        nursery.start_soon(press)
        async with stand.driver.lend_line() as (fd, options):
            child = [sys.executable, "-c", IN_ANOTHER_PROCESS, str(fd), json.dumps(options)]
            with trio.fail_after(30):
                ended = await trio.run_process(child, pass_fds=(fd,), capture_stdout=True, cwd=HOUSE)
        assert json.loads(ended.stdout) == [[0, 1, 2, 3, 4, 5, 6], sum(b"246810"), False, False]
        assert (stand.pad.mode, stand.fault) == (0, None)


async def test_a_lost_reply_to_start_pin_does_not_drop_typed_digits(tmp_path: Path) -> None:
    """The process does not begin again once a digit has come: a wrong PIN would cost the card a try."""
    async with pad_on_pty(tmp_path / "pad") as stand:
        to_terminal = stand.pad.wire

        def lose_first_reply(chunk: bytes) -> None:
            if chunk.startswith(b"\x02") and stand.pad.commands[-1] == 0x35:
                stand.pad.wire = to_terminal
            else:
                to_terminal(chunk)

        stand.pad.wire = lose_first_reply
        pin, _ = await enter_plain(stand, presses(stand, *"246810", "enter"))
        assert pin == b"246810"
        assert stand.pad.commands.count(0x35) == 1


async def test_an_early_enter_begins_again(tmp_path: Path) -> None:
    """Enter after four digits where six are needed clears the entry and lets the resident go on."""
    async with pad_on_pty(tmp_path / "pad") as stand:

        def act() -> None:
            presses(stand, *"7391", "enter")()

        async def again() -> None:
            await stand.until(lambda: stand.pad.commands.count(0x35) == 2 and stand.pad.lit)
            presses(stand, *"246810", "enter")()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(again)
            pin, _ = await enter_plain(stand, act, (6, 8))
        assert pin == b"246810"


@pytest.mark.parametrize("how", ["cancel", "timeout"])
async def test_an_unfinished_plain_entry_gives_none(tmp_path: Path, how: str) -> None:
    """Cancel and the pad's time-out give None and leave plain mode."""
    async with pad_on_pty(tmp_path / "pad") as stand:
        names = ["7", "3", *(["cancel"] if how == "cancel" else [])]
        pin, _ = await enter_plain(stand, presses(stand, *names), entry_s=1.0)
        assert pin is None
        assert (stand.pad.mode, stand.fault) == (0, None)


async def test_a_crash_of_the_borrower_is_mended(tmp_path: Path) -> None:
    """A process that dies in plain mode hands back a line; the driver ends plain mode and goes on."""
    async with pad_on_pty(tmp_path / "pad") as stand:
        async with stand.driver.lend_line() as (fd, options):
            assert options == {"expand": "hex", "etx": True}
            os.write(fd, b"\x02" + b"02450344" + b"\x03")
            await stand.until(lambda: stand.pad.mode == 3)
        assert (stand.pad.mode, stand.fault) == (0, None)


async def test_a_borrower_that_raises_does_not_keep_the_line(tmp_path: Path) -> None:
    """Whatever ends the loan, the driver has its line again."""
    async with pad_on_pty(tmp_path / "pad") as stand:
        with pytest.raises(RuntimeError, match="died"):
            async with stand.driver.lend_line():
                raise RuntimeError("died")
        await stand.load_keys()


async def test_a_shutdown_while_lent_is_clean_and_leaves_plain_mode(tmp_path: Path) -> None:
    """When everything is cancelled at once nothing raises, and the pad is told to leave plain mode."""
    async with pad_on_pty(tmp_path / "pad") as stand:
        async with trio.open_nursery() as nursery:

            async def borrow() -> None:
                async with stand.driver.lend_line() as (fd, _):
                    os.write(fd, b"\x02" + b"02450344" + b"\x03")
                    await trio.sleep_forever()

            nursery.start_soon(borrow)
            await stand.until(lambda: stand.pad.mode == 3)
            stand.running.cancel()
            nursery.cancel_scope.cancel()
        await stand.over.wait()
        await stand.until(lambda: stand.pad.mode == 0)
        assert stand.fault is None


async def test_a_pad_stuck_in_plain_mode_goes_out_of_service(tmp_path: Path) -> None:
    """When plain mode cannot be left, both sides say so and the slot is a FAULT: no bank PIN on this pad."""
    async with pad_on_pty(tmp_path / "pad") as stand:
        stand.pad.faults.add("plain_stuck")
        with pytest.raises(DeviceFault, match="plain_mode_stuck"):
            async with stand.driver.lend_line() as (fd, options):
                with pytest.raises(PlainEntryFailed, match="plain_mode_stuck"):
                    await trio.to_thread.run_sync(
                        read_pin, fd, Framing.from_options(options), 6, 6, 0.3, lambda count: None
                    )
        await stand.over.wait()
        assert stand.reports[-1] == Health(Condition.FAULT, "plain_mode_stuck")


async def test_a_cable_pulled_while_lent_is_a_fault_of_both(tmp_path: Path) -> None:
    """The borrower fails at once, and taking the line back finds it gone."""
    async with pad_on_pty(tmp_path / "pad") as stand:
        with pytest.raises(DeviceFault, match="absent unplugged"):
            async with stand.driver.lend_line() as (fd, options), trio.open_nursery() as nursery:

                async def pull() -> None:
                    await stand.until(lambda: stand.pad.lit)
                    stand.line.unplug()

                nursery.start_soon(pull)
                with pytest.raises(PlainEntryFailed, match=r"plain_mode_stuck|line_lost"):
                    await trio.to_thread.run_sync(
                        read_pin, fd, Framing.from_options(options), 6, 6, 20.0, lambda count: None
                    )
        await stand.over.wait()


async def test_without_read_back_the_line_is_never_lent(tmp_path: Path) -> None:
    """A pad whose mode cannot be read back may serve keys and bank PINs, but not mode B."""
    async with pad_on_pty(tmp_path / "pad", mode_readback=False) as stand:
        with pytest.raises(DeviceFault, match="mode_readback_missing"):
            async with stand.driver.lend_line():
                raise AssertionError("lent")
        assert 0x45 in stand.pad.commands
        await stand.load_keys()


async def test_a_silent_pad_ends_the_plain_entry_within_bounds(tmp_path: Path) -> None:
    """Three tries of one second, then leaving plain mode is given up too and said."""
    async with pad_on_pty(tmp_path / "pad", reply_s_max=0.2) as stand:
        with pytest.raises(DeviceFault, match="unknown silent"):
            async with stand.driver.lend_line() as (fd, options):
                stand.pad.faults.add("silent")
                with pytest.raises(PlainEntryFailed, match="plain_mode_stuck"):
                    await trio.to_thread.run_sync(
                        read_pin, fd, Framing.from_options(options), 6, 6, 20.0, lambda count: None
                    )
