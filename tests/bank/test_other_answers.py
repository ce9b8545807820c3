"""Answers that are well made and right by MAC, and yet not the answer to this question."""

import io
import os
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from kiosk.domain.money import Fen
from kiosk.ports import HostRefused, OutcomeUnknown
from kiosk.ports.money import ReversalDisputed
from simulators.worlds.world import BankAccount, Keys
from tests.bank.memory import MemoryPad, MemoryWorld
from tests.bank.stand import account, card_of

PAID = Fen(34_567)
OTHER_PAN = "9990010000000000027"
AAC = 0x00


@pytest.fixture
def autojump_clock() -> MockClock:
    return MockClock(autojump_threshold=0)


@pytest.fixture
def world(tmp_path: Path) -> MemoryWorld:
    return MemoryWorld(tmp_path, account(), io.StringIO())


@pytest.mark.parametrize(
    "field", [{11: "999999"}, {4: "000000000001"}, {41: "00000002"}], ids=["trace", "amount", "terminal"]
)
async def test_an_answer_to_another_act_is_unknown_and_the_card_makes_no_tc(
    world: MemoryWorld, field: dict[int, str]
) -> None:
    """Approved, but not for this trace, amount or terminal: the card is told no, and the act is reversed."""
    await world.client.sign_on()
    world.line.twist = field
    with pytest.raises(OutcomeUnknown):
        await world.client.purchase(PAID, "000500")
    assert world.reader.asked[-1] == AAC
    world.line.twist = {}
    await world.client.reverse("000500")
    assert world.host.books.balance_fen(account().pan) == 100_000


async def test_what_the_bank_does_not_know_is_disputed(world: MemoryWorld) -> None:
    """25 to a reversal of what never arrived: it stays open, and the caller knows that asking again is in vain."""
    await world.client.sign_on()
    world.host.weather.change(drop_question=True)
    with pytest.raises(OutcomeUnknown):
        await world.client.purchase(PAID, "000500")
    world.host.weather.change(drop_question=False)
    with pytest.raises(ReversalDisputed):
        await world.client.reverse("000500")
    assert world.journal.open_traces() == ("000500",)


async def test_a_pad_that_decrypts_is_asked_for_no_bank_pin(world: MemoryWorld) -> None:
    """A pad that would give a PIN back loads no working keys for us: no sign-on, no payment (pins-and-keys 4)."""
    world.pad.decrypts = True
    with pytest.raises(HostRefused, match="pad_decrypts"):
        await world.client.purchase(PAID, "000500")
    assert world.host.books.act("00000001", "000001", "000500") is None


class PadThatTakesItsTime(MemoryPad):
    """Its first key takes five seconds to load."""

    pauses: tuple[float, ...] = (5.0,)

    async def load_work_key(self, master: int, slot: int, cryptogram: bytes) -> bytes:
        pause_s, self.pauses = (self.pauses[0], ()) if self.pauses else (0.0, ())
        await trio.sleep(pause_s)
        return await super().load_work_key(master, slot, cryptogram)


async def test_two_sign_ons_never_mix_their_keys(autojump_clock: MockClock, tmp_path: Path) -> None:
    """The background's and a resident's at once: the pad ends with the bank's own pair, and the payment goes."""
    world = MemoryWorld(tmp_path, account(), io.StringIO(), random=os.urandom)
    world.pad = PadThatTakesItsTime(world.fuse)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.client.sign_on)
        nursery.start_soon(world.client.sign_on)
    assert world.host.heard == ["0800", "0800"]
    paid = await world.client.purchase(PAID, "000500")
    assert paid.amount_fen == PAID


async def test_looking_moves_nothing(world: MemoryWorld) -> None:
    """Whether a payment could begin is seen without a cryptogram, without a trace number and without the bank."""
    await world.client.look()
    assert world.reader.asked == []
    assert world.host.heard == ["0800"]
    world.reader.card.debit = None
    with pytest.raises(HostRefused, match="no_application"):
        await world.client.look()


async def test_a_reversal_answered_for_another_amount_stays_open(world: MemoryWorld) -> None:
    """Only a yes to this very reversal closes it."""
    await world.client.purchase(PAID, "000500")
    world.line.twist = {4: "000000000001"}
    with pytest.raises(OutcomeUnknown):
        await world.client.reverse("000500")


async def test_a_void_answered_for_another_amount_is_unknown(world: MemoryWorld) -> None:
    """What was given back is not what was asked for: reversed, and the purchase stands."""
    paid = await world.client.purchase(PAID, "000500")
    world.journal.closed.add("000500")
    world.line.twist = {4: "000000000001"}
    with pytest.raises(OutcomeUnknown):
        await world.client.void(paid, "000501")
    world.line.twist = {}
    await world.client.reverse("000501")
    assert world.host.books.balance_fen(account().pan) == 100_000 - PAID


async def test_a_wrong_check_value_means_no_bank_services(world: MemoryWorld) -> None:
    """A key that the pad understood otherwise than the bank meant is not used."""
    world.line.twist = {62: "00" * 40}
    for act in (world.client.sign_on(), world.client.balance("000501")):
        with pytest.raises(HostRefused, match="check_value"):
            await act
    assert world.host.heard == ["0800", "0800"]


async def test_money_goes_back_to_the_card_that_paid(world: MemoryWorld) -> None:
    """Another card in the slot gets neither void nor refund, and the bank is not even asked (money-rules 18)."""
    paid = await world.client.purchase(PAID, "000500")
    world.journal.closed.add("000500")
    heard = len(world.host.heard)
    world.reader.card = card_of(BankAccount(card="c", pan=OTHER_PAN))
    for act in (world.client.void(paid, "000501"), world.client.refund(paid, "000502")):
        with pytest.raises(HostRefused, match="another_card"):
            await act
    assert len(world.host.heard) == heard


async def test_a_silent_sign_on_refuses_the_act_that_wanted_it(world: MemoryWorld) -> None:
    """Nothing was asked of the bank, so the purchase is refused and not unknown."""
    world.weather.change(drop_answer=True)
    with pytest.raises(HostRefused, match="sign_on_unanswered"):
        await world.client.purchase(PAID, "000500")
    assert not world.journal.kept


async def test_a_trace_without_an_intent_was_never_sent(world: MemoryWorld) -> None:
    """The intent is durable before the first byte, so without one there is nothing to reverse or to ask."""
    await world.client.reverse("000777")
    assert world.host.heard == []


async def test_a_forged_cryptogram_is_found_by_the_issuer(tmp_path: Path) -> None:
    """A card with other keys than the issuer's gets 63, whatever its data say."""
    world = MemoryWorld(tmp_path, account(), io.StringIO())
    forged = card_of(account())
    assert forged.debit
    forged.debit._key = bytes.fromhex(Keys().read_ssse)
    world.reader.card = forged
    with pytest.raises(HostRefused, match="63"):
        await world.client.purchase(PAID, "000500")
