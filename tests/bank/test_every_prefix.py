"""A purchase by card, cut off after every single effect: what the bank booked is paid for, reversed, or a case."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.domain.money import Fen
from kiosk.ports import HostRefused, OutcomeUnknown
from simulators.worlds.world import BankAccount
from tests.bank.memory import MemoryWorld
from tests.bank.stand import PAN, account
from tests.flows.money import PowerCut

START, PAID = 100_000, 34_567
EFFECTS_MAX = 200


async def pay(world: MemoryWorld) -> bool:
    """One purchase as the house does it; True when it is certain, and the books then say so."""
    trace = world.client.new_trace_number()
    try:
        await world.client.purchase(Fen(PAID), trace)
    except HostRefused:
        world.journal.closed.add(trace)
        return False
    except OutcomeUnknown:
        await world.client.reverse(trace)
        world.journal.closed.add(trace)
        return False
    world.fuse.burn("commit paid")
    world.journal.closed.add(trace)
    return True


async def recover(world: MemoryWorld) -> set[str]:
    """What a restart does: reverse what is open. Returns the traces that stay a case (25: never arrived)."""
    cases = set()
    for trace in world.journal.open_traces():
        try:
            await world.client.reverse(trace)
        except OutcomeUnknown as unknown:
            assert "25" in unknown.why
            cases.add(trace)
        world.journal.closed.add(trace)
    return cases


def foul(world: MemoryWorld, switch: str) -> None:
    world.weather.change(**{switch: True})


CASES: dict[str, tuple[BankAccount, Callable[[MemoryWorld], None]]] = {
    "approved": (account(balance_fen=START), lambda world: None),
    "declined": (account(balance_fen=100), lambda world: None),
    "card balks": (account(balance_fen=START, balks=True), lambda world: None),
    "answer lost": (account(balance_fen=START), lambda world: foul(world, "drop_answer")),
    "script": (account(balance_fen=START, script="unblock_counter"), lambda world: None),
}


@pytest.mark.parametrize("name", CASES)
async def test_no_fen_is_unexplained_after_a_power_cut(tmp_path: Path, name: str) -> None:
    """For every prefix: after the restart the account has lost exactly what the journal knows as paid, nothing is
    open but what the bank never saw, and the next purchase works."""
    one, spoil = CASES[name]
    for left in range(EFFECTS_MAX):
        world = MemoryWorld(tmp_path / str(left), one, io.StringIO())
        if name == "answer lost":
            await world.client.sign_on()  # in fair weather; only what follows is cut
        spoil(world)
        world.fuse.left = left
        paid, cut = False, False
        try:
            paid = await pay(world)
        except PowerCut:
            cut = True
        except OutcomeUnknown:
            assert name == "answer lost"
        world.weather.clear()
        world.start()
        await recover(world)
        assert world.host.books.balance_fen(PAN) == one.balance_fen - (PAID if paid else 0), f"after {left} effects"
        assert not world.journal.open_traces()
        if name == "approved":
            assert await pay(world)
        world.host.close()
        if not cut:
            assert left >= 8, "the fuse never reached the end"
            return
    raise AssertionError("more effects than expected")
