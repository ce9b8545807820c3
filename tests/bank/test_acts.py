"""Whole acts: card, pad, TLS line and issuer, in fair and in foul weather."""

from pathlib import Path

import pytest

from kiosk.domain.money import Fen
from kiosk.ports import CardGone, HostRefused, OutcomeUnknown
from simulators.pki import Pki
from tests.bank.stand import PAN, BankStand, account, bank_stand

PAID = 34_567


async def test_a_purchase_is_booked_once_for_exactly_its_amount(stand: BankStand) -> None:
    """Card, PIN block, cryptogram and MACs are right, so the bank books, and the card makes a TC of it."""
    paid = await stand.pay(PAID)
    assert stand.balance_fen == 100_000 - PAID
    assert paid.amount_fen == PAID and paid.reference.strip() and paid.authorization
    assert paid.card_first6_last4 == f"{PAN[:6]}*********{PAN[-4:]}"
    assert stand.host.heard == ["0800", "0200 000000"]


async def test_the_balance_comes_without_any_intent(stand: BankStand) -> None:
    """Nothing moves, so nothing is journaled; the figure is the issuer's."""
    trace = stand.client.new_trace_number()
    assert await stand.typing(lambda: stand.client.balance(trace)) == Fen(100_000)
    assert not stand.journal.kept


async def test_too_little_money_is_a_final_no(stand: BankStand) -> None:
    """51 is a refusal: nothing is booked and nothing is to be reversed."""
    with pytest.raises(HostRefused) as refused:
        await stand.pay(200_000)
    assert refused.value.code == "51"
    assert stand.balance_fen == 100_000


async def test_a_wrong_pin_is_55_and_costs_a_try(stand: BankStand) -> None:
    """The issuer counts tries; the right PIN gives them back."""
    with pytest.raises(HostRefused) as refused:
        await stand.pay(PAID, pin="111111")
    assert refused.value.code == "55"
    assert stand.host.books.pin_tries(PAN) == 2
    stand.close(stand.trace)
    await stand.pay(PAID)
    assert stand.host.books.pin_tries(PAN) == 3


async def test_a_cancelled_pin_asks_the_bank_nothing(stand: BankStand) -> None:
    """No PIN, no request, no intent."""
    trace = stand.client.new_trace_number()
    with pytest.raises(HostRefused) as refused:
        await stand.typing(lambda: stand.client.purchase(Fen(PAID), trace), "85", "cancel")
    assert refused.value.code == "pin_cancelled"
    assert stand.host.heard == ["0800"] and not stand.journal.kept


@pytest.mark.parametrize("switch", ["drop_answer", "drop_question", "garbage"])
async def test_silence_is_unknown_and_a_restarted_terminal_reverses_it(tmp_path: Path, pki: Pki, switch: str) -> None:
    """The intent in the journal is all that a 0400 needs; the money is back, or had never gone."""
    async with bank_stand(tmp_path, pki, deadline_s=0.6) as stand:
        await stand.client.sign_on()
        stand.weather.change(**{switch: True})
        with pytest.raises(OutcomeUnknown):
            await stand.pay(PAID)
        assert stand.balance_fen == 100_000 - (0 if switch == "drop_question" else PAID)
        stand.weather.clear()
        stand.restart()
        if switch == "drop_question":
            with pytest.raises(OutcomeUnknown, match="25"):  # closes only through reconciliation (money-rules 1)
                await stand.client.reverse(stand.trace)
        else:
            await stand.client.reverse(stand.trace)
        assert stand.balance_fen == 100_000


async def test_an_open_reversal_blocks_every_bank_act(tmp_path: Path, pki: Pki) -> None:
    """Until the 0400 is answered no balance, purchase, void or refund leaves this terminal (money-rules 21)."""
    async with bank_stand(tmp_path, pki, deadline_s=0.6) as stand:
        paid = await stand.pay(PAID)
        stand.weather.change(drop_answer=True)
        with pytest.raises(OutcomeUnknown):
            await stand.pay(PAID)
        with pytest.raises(OutcomeUnknown):
            await stand.client.reverse(stand.trace)
        asked = len(stand.host.heard)
        for act in (
            stand.client.purchase(Fen(PAID), "000900"),
            stand.client.balance("000901"),
            stand.client.void(paid, "000902"),
            stand.client.refund(paid, "000903"),
        ):
            with pytest.raises(HostRefused) as refused:
                await act
            assert refused.value.code == "reversal_open"
        assert len(stand.host.heard) == asked
        stand.weather.clear()
        await stand.client.reverse(stand.trace)
        await stand.client.reverse(stand.trace)  # asked twice, undone once
        assert stand.balance_fen == 100_000 - PAID


async def test_a_card_that_balks_after_approval_is_reversed_with_field_55(tmp_path: Path, pki: Pki) -> None:
    """Approved by the bank, refused by the chip: the 0400 says 06 and carries what the card last said."""
    async with bank_stand(tmp_path, pki, account(balks=True)) as stand:
        with pytest.raises(OutcomeUnknown, match="card_declines"):
            await stand.pay(PAID)
        intent = stand.journal.find(stand.trace)
        assert intent is not None and intent.reason == "06" and intent.authorization
        assert bytes.fromhex(intent.chip).startswith(b"\x95\x05") and "9f36" in intent.chip
        await stand.client.reverse(stand.trace)
        assert stand.balance_fen == 100_000


async def test_a_card_pulled_after_approval_is_reversed(stand: BankStand) -> None:
    """No second GENERATE AC, so no purchase (money-rules 22)."""
    stand.channel.pull_before = (0xAE, 2)
    with pytest.raises(OutcomeUnknown):
        await stand.pay(PAID)
    assert stand.balance_fen == 100_000 - PAID
    await stand.client.reverse(stand.trace)
    assert stand.balance_fen == 100_000


async def test_a_card_pulled_before_the_request_ends_the_session(stand: BankStand) -> None:
    """Before anything was sent a pulled card is a pulled card: no intent, nothing to reverse."""
    stand.channel.pull_before = (0xAE, 1)
    with pytest.raises(CardGone):
        await stand.pay(PAID)
    assert not stand.journal.kept and stand.host.heard == ["0800"]


async def test_a_bad_mac_is_unknown_and_signs_on_before_the_reversal(stand: BankStand) -> None:
    """Whatever an answer with a wrong MAC says is not believed; the 0400 gives A0 as its reason."""
    await stand.client.sign_on()
    stand.weather.change(bad_mac=True)
    with pytest.raises(OutcomeUnknown, match="bad MAC"):
        await stand.pay(PAID)
    intent = stand.journal.find(stand.trace)
    assert intent is not None and intent.reason == "A0"
    stand.weather.clear()
    await stand.client.reverse(stand.trace)
    assert stand.host.heard == ["0800", "0200 000000", "0800", "0400 000000"]
    assert stand.balance_fen == 100_000


@pytest.mark.parametrize("code", ["A0", "77", "99"])
async def test_a_sign_on_code_signs_on_again_and_sends_nothing_twice(stand: BankStand, code: str) -> None:
    """The failed purchase is refused and stays refused; the next act signs on first."""
    await stand.client.sign_on()
    stand.weather.change(refuse_code=code)
    with pytest.raises(HostRefused) as refused:
        await stand.pay(PAID)
    assert refused.value.code == code
    stand.close(stand.trace)
    stand.weather.clear()
    await stand.pay(PAID)
    assert stand.host.heard == ["0800", "0200 000000", "0800", "0200 000000"]
    assert stand.balance_fen == 100_000 - PAID


async def test_a_new_batch_at_the_bank_is_adopted_at_the_next_sign_on(stand: BankStand) -> None:
    """77 for the old batch, then the bank's own number is used."""
    await stand.client.sign_on()
    stand.host.next_batch()
    with pytest.raises(HostRefused, match="77"):
        await stand.pay(PAID)
    stand.close(stand.trace)
    assert (await stand.pay(PAID)).batch_number == "000002"


async def test_a_partial_approval_is_reversed(stand: BankStand) -> None:
    """10 is never taken for a payment: the card makes an AAC and the part goes back (money-rules 8)."""
    stand.weather.change(refuse_code="10")
    with pytest.raises(OutcomeUnknown, match="partial"):
        await stand.pay(PAID)
    assert stand.balance_fen == 100_000 - PAID // 2
    stand.weather.clear()
    await stand.client.reverse(stand.trace)
    assert stand.balance_fen == 100_000


@pytest.mark.parametrize(("code", "outcome"), [("68", OutcomeUnknown), ("ZZ", OutcomeUnknown), ("04", HostRefused)])
async def test_codes_have_their_class(stand: BankStand, code: str, outcome: type[Exception]) -> None:
    """68 and codes of no list are unknown; 04 is a no, and the card goes back to its holder."""
    stand.weather.change(refuse_code=code)
    with pytest.raises(outcome):
        await stand.pay(PAID)
    assert stand.channel.card is not None


@pytest.mark.parametrize(("script", "first"), [("unblock_counter", "20"), ("nonsense", "11")])
async def test_script_results_reach_the_bank_by_a_notice(tmp_path: Path, pki: Pki, script: str, first: str) -> None:
    """The purchase stands; how the script went is owed, and told by 0620 once."""
    async with bank_stand(tmp_path, pki, account(script=script)) as stand:
        await stand.pay(PAID)
        (notice,) = stand.journal.owed_notices()
        assert notice.original_trace == stand.trace
        await stand.client.send_notices()
        assert stand.host.books.notices() == [(notice.trace_number, stand.trace, first + "00000001")]
        assert not stand.journal.owed_notices()


async def test_a_script_can_block_the_application(tmp_path: Path, pki: Pki) -> None:
    """After APPLICATION BLOCK the next payment is refused by the card, before any PIN is asked."""
    async with bank_stand(tmp_path, pki, account(script="block_application")) as stand:
        await stand.pay(PAID)
        with pytest.raises(HostRefused) as refused:
            await stand.client.purchase(Fen(PAID), stand.client.new_trace_number())
        assert refused.value.code == "blocked"


async def test_a_line_that_is_down_refuses_before_anything_is_journaled(stand: BankStand) -> None:
    """Nothing was sent: a refusal, not an unknown; the card made an AAC."""
    await stand.client.sign_on()
    stand.weather.change(down=True)
    with pytest.raises(HostRefused) as refused:
        await stand.pay(PAID)
    assert refused.value.code == "line_down"
    assert not stand.journal.kept


async def test_void_and_refund_give_back_once_and_only_to_the_same_card(tmp_path: Path, pki: Pki) -> None:
    """A void undoes a purchase of this batch, a refund any; the second taking back is refused."""
    async with bank_stand(tmp_path, pki) as stand:
        first, second = await stand.pay(PAID), await stand.pay(1_000)
        void, again, refund = (stand.client.new_trace_number() for _ in range(3))
        await stand.typing(lambda: stand.client.void(first, void))
        assert stand.balance_fen == 100_000 - 1_000
        stand.close(void)
        with pytest.raises(HostRefused, match="12"):
            await stand.typing(lambda: stand.client.void(first, again))
        stand.close(again)
        await stand.client.refund(second, refund)
        assert stand.balance_fen == 100_000
        detail = stand.host.books.settlement_detail(stand.host._day())
        assert detail.splitlines()[0].endswith("|4") and "|voided" in detail and "|refunded" in detail


async def test_an_unknown_void_is_reversed_and_the_purchase_stands_again(tmp_path: Path, pki: Pki) -> None:
    """0400 works for a void as for a purchase."""
    async with bank_stand(tmp_path, pki, deadline_s=0.6) as stand:
        paid = await stand.pay(PAID)
        trace = stand.client.new_trace_number()
        stand.weather.change(drop_answer=True)
        with pytest.raises(OutcomeUnknown):
            await stand.typing(lambda: stand.client.void(paid, trace))
        assert stand.balance_fen == 100_000
        stand.weather.clear()
        await stand.client.reverse(trace)
        assert stand.balance_fen == 100_000 - PAID


async def test_nothing_of_card_or_pin_is_in_the_log(stand: BankStand) -> None:
    """Neither PAN nor PIN nor track 2, in any form, whatever happened."""
    await stand.pay(PAID)
    stand.weather.change(bad_mac=True)
    with pytest.raises(OutcomeUnknown) as unknown:
        await stand.pay(PAID)
    said = stand.log.getvalue() + stand.pad.log.getvalue() + repr(unknown.value) + repr(stand.journal.intents)
    for secret in (PAN, PAN[6:-4], "852963", PAN.encode().hex()):
        assert secret not in said
