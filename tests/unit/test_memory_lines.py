"""What the four wires in memory do to bytes."""

import pytest
import trio
from trio.testing import MockClock

from drivers.transport.line import LineLost
from drivers.transport.memory import ByteWire, LossyWire, MemoryLine, PerfectWire, SlowWire, memory_lines

MESSAGE = bytes(range(256)) * 4


async def all_of(line: MemoryLine) -> list[bytes]:
    """Chunks until nothing more comes."""
    chunks = []
    with trio.move_on_after(60):
        while True:
            chunks.append(await line.receive())
    return chunks


async def test_a_perfect_wire_changes_nothing(autojump_clock: MockClock) -> None:
    """One chunk in, the same chunk out, in either direction."""
    near, far = memory_lines(PerfectWire(), PerfectWire())
    await near.send(MESSAGE)
    far.send_now(b"back")
    assert (await far.receive(), await near.receive()) == (MESSAGE, b"back")


async def test_a_byte_wire_splits(autojump_clock: MockClock) -> None:
    """Every byte comes alone, in order."""
    near, far = memory_lines(ByteWire(), PerfectWire())
    await near.send(MESSAGE)
    chunks = await all_of(far)
    assert b"".join(chunks) == MESSAGE and {len(chunk) for chunk in chunks} == {1}


async def test_a_lossy_wire_is_the_same_for_the_same_seed(autojump_clock: MockClock) -> None:
    """Damage comes from the seed alone, and there is some."""
    heard = []
    for seed in (5, 5, 6):
        near, far = memory_lines(LossyWire(seed), PerfectWire())
        await near.send(MESSAGE)
        heard.append(b"".join(await all_of(far)))
    assert heard[0] == heard[1] != heard[2]
    assert MESSAGE not in heard


async def test_a_slow_wire_takes_its_time_and_a_cancelled_wait_loses_nothing(autojump_clock: MockClock) -> None:
    """1000 bytes take more than a second, however often the reader gives up in between."""
    near, far = memory_lines(SlowWire(), PerfectWire())
    began = trio.current_time()
    await near.send(bytes(1000))
    heard = b""
    while not heard:
        with trio.move_on_after(0.1):
            heard = await far.receive()
    assert heard == bytes(1000)
    assert trio.current_time() - began == pytest.approx(0.05 + 1000 * 0.00104, abs=0.01)


async def test_a_closed_end_is_a_lost_line(autojump_clock: MockClock) -> None:
    """After one end closes both directions fail at the other, and closing twice is harmless."""
    near, far = memory_lines(PerfectWire(), PerfectWire())
    near.close()
    near.close()
    with pytest.raises(LineLost, match="lost"):
        await far.receive()
    with pytest.raises(LineLost, match="lost"):
        await far.send(b"x")
    with pytest.raises(LineLost, match="lost"):
        await near.receive()


async def test_memory_cannot_be_lent(autojump_clock: MockClock) -> None:
    """There is no descriptor that another process could inherit."""
    near, _ = memory_lines(PerfectWire(), PerfectWire())
    with pytest.raises(LineLost, match="not_lendable"):
        near.lend()
