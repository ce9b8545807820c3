"""The KMY driver over four wires, over damaged ones, and when a reply is lost at a bad moment."""

from collections.abc import Iterable
from contextlib import suppress

import pytest
import trio
from psec import des, mac
from trio.testing import MockClock

from drivers.transport.memory import ByteWire, LossyWire, PerfectWire, SlowWire, Wire
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceFault
from simulators.devices.kmy import KmyPad as Simulator
from tests.pad_stand import MAC_KEY, MASTER, PAN12, PIN_KEY, SIX_DIGITS, expected_block, pad_on_wire, wrapped

FRAMINGS = [(expand, etx) for expand in (True, False) for etx in (True, False)]
GOOD_WIRES = {"perfect": PerfectWire, "byte": ByteWire, "slow": SlowWire}


@pytest.mark.parametrize("wire", GOOD_WIRES.values(), ids=GOOD_WIRES.keys())
@pytest.mark.parametrize(("expand", "etx"), FRAMINGS)
async def test_pin_block_and_mac_are_right_over_every_good_wire_and_framing(
    wire: type[Wire], expand: bool, etx: bool, autojump_clock: MockClock
) -> None:
    """Whatever the framing and however the bytes come, block, MAC and check value are what psec computes."""
    async with pad_on_wire(Simulator({0: MASTER}, expand=expand, etx=etx), wire(), wire()) as stand:
        assert await stand.driver.load_work_key(0, 0, wrapped(PIN_KEY)) == des.generate_kcv(PIN_KEY, 4)
        await stand.driver.load_work_key(0, 1, wrapped(MAC_KEY))
        assert await stand.enter("135790") == expected_block("135790")
        message = b"0200 a message"
        assert await stand.driver.mac(0, 1, message) == mac.generate_cbc_mac(MAC_KEY, message, 1)
        assert stand.stars == [0, 1, 2, 3, 4, 5, 6]
        assert stand.driver.serial == "SIM00001"


@pytest.mark.parametrize("seed", range(8))
async def test_over_a_damaging_wire_every_answer_is_right_or_a_fault(seed: int, autojump_clock: MockClock) -> None:
    """A line that loses, flips and invents bytes costs tries, and never yields a wrong check value or MAC."""
    wires = LossyWire(seed, 0.004, 0.004, 0.004), LossyWire(seed + 100, 0.004, 0.004, 0.004)
    async with pad_on_wire(None, *wires) as stand:
        right = 0
        try:
            for _ in range(10):
                assert await stand.driver.load_work_key(0, 1, wrapped(MAC_KEY)) == des.generate_kcv(MAC_KEY, 4)
                assert await stand.driver.mac(0, 1, b"message") == mac.generate_cbc_mac(MAC_KEY, b"message", 1)
                right += 1
        except DeviceFault:
            assert right < 10
        assert stand.fault is None or stand.fault.health in (
            Health(Condition.UNKNOWN, "silent"),
            Health(Condition.FAULT, "bad_parameter"),
        )


@pytest.mark.parametrize("seed", range(25))
async def test_over_a_damaging_wire_a_pin_block_is_never_of_another_pin(seed: int, autojump_clock: MockClock) -> None:
    """However the line behaves: the right block, none, or a fault; and always an end."""
    wires = LossyWire(seed, 0.002, 0.002, 0.002), LossyWire(seed + 100, 0.002, 0.002, 0.002)
    blocks: list[bytes | None] = []
    async with pad_on_wire(None, *wires) as stand, trio.open_nursery() as nursery:

        async def press() -> None:
            while True:
                await trio.sleep(0.4)
                for digit in "246810" * stand.pad.lit:
                    stand.pad.press(digit)
                    await trio.sleep(0.2)

        nursery.start_soon(press)
        with trio.fail_after(200), suppress(DeviceFault):
            await stand.load_keys()
            blocks.append(await stand.driver.pin_block(0, 0, PAN12, SIX_DIGITS, stand.progress))
        nursery.cancel_scope.cancel()
    assert set(blocks) <= {expected_block("246810"), None}


class LosesReply(PerfectWire):
    """Loses the first frame of the pad after its command ``code`` was heard."""

    def __init__(self, code: int) -> None:
        self.pad = Simulator({0: MASTER})
        self._code: int | None = code

    def carry(self, chunk: bytes) -> Iterable[tuple[float, bytes]]:
        if chunk.startswith(b"\x02") and self.pad.commands[-1] == self._code:
            self._code = None
            return
        yield from super().carry(chunk)


async def test_a_lost_reply_to_start_pin_does_not_drop_typed_digits(autojump_clock: MockClock) -> None:
    """START PIN is not sent again once a star has come: the pad would forget digits and make a block of a wrong PIN."""
    wire = LosesReply(0x35)
    async with pad_on_wire(wire.pad, back=wire) as stand:
        await stand.load_keys()
        assert await stand.enter("246810") == expected_block("246810")
        assert wire.pad.commands.count(0x35) == 1


async def test_a_lost_reply_to_start_pin_without_keys_is_asked_again(autojump_clock: MockClock) -> None:
    """Nothing was typed yet, so beginning again loses nothing."""
    wire = LosesReply(0x35)
    async with pad_on_wire(wire.pad, back=wire) as stand:
        await stand.load_keys()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stand.driver.pin_block, 0, 0, PAN12, SIX_DIGITS, stand.progress)
            await stand.until(lambda: wire.pad.commands.count(0x35) == 2)
            await stand.type("246810")
        assert stand.fault is None


async def test_a_lost_pin_block_is_no_fault_of_the_slot(autojump_clock: MockClock) -> None:
    """The pad gives a block once; when that reply is lost the entry has failed, and the next one works."""
    wire = LosesReply(0x42)
    async with pad_on_wire(wire.pad, back=wire) as stand:
        await stand.load_keys()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stand.type, "246810", "enter")
            with pytest.raises(DeviceFault, match="bad_parameter"):
                await stand.driver.pin_block(0, 0, PAN12, SIX_DIGITS, stand.progress)
        assert await stand.enter("246810") == expected_block("246810")


async def test_a_lost_mac_is_made_again(autojump_clock: MockClock) -> None:
    """The whole sequence is begun again: a MAC changes nothing in the pad."""
    wire = LosesReply(0x41)
    async with pad_on_wire(wire.pad, back=wire) as stand:
        await stand.load_keys()
        assert await stand.driver.mac(0, 1, b"message") == mac.generate_cbc_mac(MAC_KEY, b"message", 1)
        assert wire.pad.commands.count(0x41) == 2
        assert stand.reports == [Health(Condition.READY)], "one lost frame is no news"


@pytest.mark.parametrize("fault", ["drop_byte", "noise"])
async def test_damaged_replies_are_asked_again(fault: str, autojump_clock: MockClock) -> None:
    """Replies that lost a byte, or come with noise before them, do no harm beyond the time they cost."""
    pad = Simulator({0: MASTER})
    pad.faults.add(fault)
    async with pad_on_wire(pad) as stand:
        assert stand.fault is None
        assert await stand.driver.load_work_key(0, 0, wrapped(PIN_KEY)) == des.generate_kcv(PIN_KEY, 4)
