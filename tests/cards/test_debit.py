"""The card's bank application through pcscd and the real reader driver."""

import pytest

from kiosk.domain.money import Fen
from kiosk.ports import CardGone
from kiosk.ports.debit import CardDeclined, DebitAct
from simulators.cards import bank_keys
from simulators.cards.card import VirtualCard
from simulators.worlds.world import BankAccount, Card
from tests.bank.stand import CARD_RULES
from tests.cards.stand import KEYS, RESIDENT, CardStand, make_card

PAN = "9990010000000000019"
ACT = DebitAct(0x00, Fen(12345), "000042", "261121", "101112", bytes.fromhex("01020304"))


def bank_card(spec: str) -> VirtualCard:
    card = Card(handle="c", title="t", resident="r", spec=spec)
    return VirtualCard(card, RESIDENT, KEYS, account=BankAccount(card="c", pan=PAN))


@pytest.mark.parametrize("spec", ["2.00", "3.00"])
async def test_a_whole_payment_after_the_identity_was_read(stand: CardStand, spec: str) -> None:
    """T=0 and T=1: identity first, then the bank application to its TC; afterwards the identity is still readable."""
    card = bank_card(spec)
    await stand.insert(card)
    identity = await stand.reader.read_identity()
    run = await stand.reader.open_debit(CARD_RULES, ACT)
    assert run.account.pan == PAN and run.account.pan12 == PAN[:-1][-12:]
    await run.request()
    assert card.debit
    moment = card.debit._moment
    proof = bank_keys.arpc(moment.session, moment.cryptogram, b"00") + b"00"
    end = await run.finish("00", bytes.fromhex("910A") + proof)
    assert end.approved
    assert await stand.reader.same_card(identity)


async def test_any_other_use_of_the_card_ends_the_payment(stand: CardStand) -> None:
    """What was selected is selected no longer, so the run is over; nothing is sent to the wrong application."""
    card = bank_card("2.00")
    await stand.insert(card)
    identity = await stand.reader.read_identity()
    run = await stand.reader.open_debit(CARD_RULES, ACT)
    assert await stand.reader.same_card(identity)
    with pytest.raises(CardGone):
        await run.request()
    await run.abandon()


async def test_a_pulled_card_is_gone_and_the_next_one_works(stand: CardStand) -> None:
    """A run belongs to one insertion."""
    await stand.insert(bank_card("2.00"))
    run = await stand.reader.open_debit(CARD_RULES, ACT)
    await stand.pull()
    with pytest.raises(CardGone):
        await run.request()
    await stand.insert(bank_card("2.00"))
    with pytest.raises(CardGone):
        await run.request()
    await (await stand.reader.open_debit(CARD_RULES, ACT)).request()


async def test_a_card_without_a_bank_application_is_declined(stand: CardStand) -> None:
    """Cards whose bank side was never made are in the field."""
    await stand.insert(make_card())
    with pytest.raises(CardDeclined, match="no_application"):
        await stand.reader.open_debit(CARD_RULES, ACT)
