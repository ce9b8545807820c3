"""What every card reader driver must do, whatever it drives. A driver's own test file calls ``check_all``.

A third party imports this too: give it a ``Bench`` with two cards of known holders, of which one is counterfeit.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
import trio

from kiosk.ports import CardAuthority, CardGone, CardNotGenuine, CardReader, DeviceFault

NOTICE_S_MAX = 10.0  # within which a reader notices that a card came or left


@dataclass
class Bench:
    """A running driver and hands. ``insert("genuine" | "other" | "counterfeit")``."""

    reader: CardReader
    authority: CardAuthority
    insert: Callable[[str], Awaitable[None]]
    pull: Callable[[], Awaitable[None]]
    holder_name: str  # of "genuine"
    social_security_number: str


async def check_all(bench: Bench) -> None:
    """One visit after the other, as a day goes."""
    await check_empty_slot(bench)
    await check_visit(bench)
    await check_another_card(bench)
    await check_counterfeit(bench)
    await check_visit(bench)


async def check_empty_slot(bench: Bench) -> None:
    """No card: said so, and every verb that needs one raises CardGone."""
    with trio.fail_after(NOTICE_S_MAX):
        await bench.reader.wait_no_card()
    assert not bench.reader.card_present
    with pytest.raises(CardGone):
        await bench.reader.read_identity()


async def check_visit(bench: Bench) -> None:
    """Identity, genuine check, holder; then the card leaves and every verb raises CardGone."""
    await _insert(bench, "genuine")
    identity = await bench.reader.read_identity()
    assert len(identity.identification_code) == 16
    assert len(identity.random_seed) == 8
    await bench.reader.prove_genuine(bench.authority)
    holder = await bench.reader.read_holder()
    assert (holder.name, holder.social_security_number) == (bench.holder_name, bench.social_security_number)
    assert await bench.reader.same_card(identity)
    await bench.reader.read_chip_record()
    await _pull(bench)
    with pytest.raises(CardGone):
        await bench.reader.read_holder()


async def check_another_card(bench: Bench) -> None:
    """A card is told from another one by reading it again."""
    await _insert(bench, "genuine")
    identity = await bench.reader.read_identity()
    await _pull(bench)
    await _insert(bench, "other")
    assert not await bench.reader.same_card(identity)
    await _pull(bench)


async def check_counterfeit(bench: Bench) -> None:
    """A counterfeit never passes, and not as a fault of the device: nothing personal of it is shown."""
    await _insert(bench, "counterfeit")
    with pytest.raises(CardNotGenuine) as refused:
        await bench.reader.prove_genuine(bench.authority)
    assert refused.value.reason == "counterfeit"
    assert not isinstance(refused.value, DeviceFault)
    await _pull(bench)


async def _insert(bench: Bench, which: str) -> None:
    await bench.insert(which)
    with trio.fail_after(NOTICE_S_MAX):
        await bench.reader.wait_card()
    assert bench.reader.card_present


async def _pull(bench: Bench) -> None:
    await bench.pull()
    with trio.fail_after(NOTICE_S_MAX):
        await bench.reader.wait_no_card()
    assert not bench.reader.card_present
