"""SIGKILL to the real kiosk at seeded moments of a payment: it comes back, and every book agrees.

The memory suite (``tests/simulation``) cuts after every single effect; this one shows that nothing of real processes
was left out there. ``KILLS_SEED`` repeats a run, ``KILLS`` makes it longer.
"""

import os
import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from simulators.stack import Plan, open_stack
from tests.lives.stand import Kill, Lives
from tests.lives.world import Errand, write_world

SEED = int(os.environ.get("KILLS_SEED", "20261122"))
KILLS = int(os.environ.get("KILLS", "20"))
# From the PIN to the receipt: so many rows of the visit, or an act. Where a bank may have paid, twice.
PLACES: dict[Errand, tuple[int | str, ...]] = {
    Errand.BILL_IN_NOTES: tuple(range(2, 17)),
    Errand.BILL_BY_CARD: (
        "claimed", "settle_intent", "settled_unpaid", "bank_intent", "bank_intent", "settled", "receipt_intent",
    ),
    Errand.DEPOSIT_IN_NOTES: tuple(range(3, 16)),
    Errand.DEPOSIT_BY_CARD: (
        "pin_entered", "bank_intent", "bank_intent", "deposit_intent", "deposited", "receipt_intent",
    ),
}  # fmt: skip
DELAY_S_MAX = 0.45  # longer than most steps between two rows
SHORT_S_MAX = 0.03  # while a host is being asked
DEAF = 0.3  # of the kills: what hosts answered just before was never heard
POWER_CUT = 0.4  # of the kills: forwarder, pad, printer and cash module go down, too

Life = tuple[Errand, Kill]


def kills(seed: int, count: int, errands: Sequence[Errand]) -> list[Life]:
    """Errands take turns; of each, every place comes up once before one comes up twice."""
    chance = random.Random(seed)
    left: dict[Errand, list[int | str]] = {errand: [] for errand in errands}
    found = []
    for turn in range(count):
        errand = errands[turn % len(errands)]
        left[errand] = left[errand] or chance.sample(PLACES[errand], len(PLACES[errand]))
        delay_s = chance.uniform(0, chance.choice((SHORT_S_MAX, DELAY_S_MAX)))
        place = left[errand].pop()
        deaf_from = place if chance.random() < DEAF else ""
        found.append((errand, Kill(place, delay_s, deaf_from, chance.random() < POWER_CUT)))
    return found


async def _live_through(coming: Sequence[Life], *, to_the_end: bool) -> list[Life]:
    """One life after another, until one needs staff; what did not come to its turn. ``to_the_end``: then an undisturbed
    one, and hosts hear of everything."""
    left = list(coming)
    errands = [errand for errand, _ in [*left, *left[:1]]]
    with TemporaryDirectory(prefix="yikatong-") as folder:
        world = write_world(Path(folder) / "world.toml", errands)
        async with open_stack(Plan(world, Path(folder) / "run", screen_map=True)) as stack:
            lives = Lives(stack, errands)
            while left and not lives.books.needs_staff():
                await lives.live(left.pop(0)[1])
                print(lives.told[-1])
                lives.books.judge()
            if to_the_end and not lives.books.needs_staff():
                await lives.live(None)  # and after all that the terminal still serves
                lives.books.judge()
            if to_the_end:
                await lives.books.judge_hosts()
            status, said = await lives.books.offline_queue("verify")
            assert status == 0, said
    return left


async def _live_through_all(*errands: Errand) -> int:
    """How many lives were judged."""
    print(f"KILLS_SEED={SEED} KILLS={KILLS}")
    coming = kills(SEED, KILLS, errands)
    while coming:
        coming = await _live_through(coming, to_the_end=True)
    return KILLS


@pytest.mark.slow
@pytest.mark.timeout(1500)
async def test_every_killed_settlement_is_explained() -> None:
    """Whenever the process is killed, no fen is lost, doubled or nobody's, and recovery pays no stranger."""
    assert await _live_through_all(Errand.BILL_IN_NOTES)


@pytest.mark.slow
@pytest.mark.timeout(1500)
async def test_every_killed_payment_by_card_or_of_a_deposit_is_explained() -> None:
    """Whenever the process is killed, a bank account has paid for what its holder got, and for nothing else."""
    assert await _live_through_all(Errand.BILL_BY_CARD, Errand.DEPOSIT_IN_NOTES, Errand.DEPOSIT_BY_CARD)


@pytest.mark.timeout(180)
async def test_killed_while_the_bank_is_asked() -> None:
    """The bank has paid and nobody heard it: at the next start it is reversed, and the books say so."""
    kill = Kill("bank_intent", DELAY_S_MAX, deaf_from="settled_unpaid")
    assert await _live_through([(Errand.BILL_BY_CARD, kill)], to_the_end=False) == []


def test_kills_are_spread_over_the_payments() -> None:
    """A seed always gives the same kills, and they leave no place of a settlement in notes out."""
    notes = [Errand.BILL_IN_NOTES]
    assert kills(1, 20, notes) == kills(1, 20, notes) != kills(2, 20, notes)
    assert {kill.at for _, kill in kills(1, 20, notes)} == set(PLACES[Errand.BILL_IN_NOTES])
    assert {errand for errand, _ in kills(1, 20, list(Errand))} == set(Errand)
