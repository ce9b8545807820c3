"""Client and sandbox of the national medical insurance interface: splits, outcomes, and every habit of platforms."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from kiosk.domain.settlement import InsuredPerson, MedicalBill, Settlement
from kiosk.hosts.medical_insurance.client import AmountsDisagree
from kiosk.hosts.medical_insurance.codec import Credential
from kiosk.ports import HostRefused, OutcomeUnknown
from kiosk.settings.medical_rules import MedicalInsuranceRules
from tests.hosts.medical import NOON, Clinic, treatment_of


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(tmp_path)
    yield made
    made.platform.close()


async def settled(clinic: Clinic, handle: str, number: int = 0) -> tuple[InsuredPerson, MedicalBill, Settlement]:
    person, bill = await clinic.person(handle), clinic.bill(handle, number)
    made = await clinic.client.settle(person, bill, True, clinic.client.new_message_id())
    return person, bill, made


# --- who and how much -------------------------------------------------------------------------------------------------


async def test_a_person_by_the_card_in_the_slot(clinic: Clinic) -> None:
    """1101 by card: number, place, the insurance that may settle, and the account's balance."""
    person = await clinic.person("li_jianguo")
    assert (person.insurance_code, person.in_force, person.insured_place) == ("310", True, "990001")
    assert person.balance_fen == clinic.world.resident("li_jianguo").medical_fen
    assert (await clinic.person("zhao_min")).insurance_code == "390"


async def test_a_person_by_electronic_credential_and_by_number(clinic: Clinic) -> None:
    """1101 by credential kinds 01 and 02 finds the same person as the card does."""
    _, holder = clinic.card("li_jianguo")
    by_card = await clinic.person("li_jianguo")
    for credential in (
        Credential("01", f"EC{holder.social_security_number}"),
        Credential("02", holder.social_security_number),
    ):
        found = await clinic.client.person_by(credential, holder)
        assert found.person_number == by_card.person_number
        assert (found.credential_kind, found.credential_number) == (credential.kind, credential.number)


async def test_a_copied_card_number_is_refused(clinic: Clinic) -> None:
    """Kind 03 needs the card's identification code: a number alone identifies nobody."""
    card, holder = clinic.card("li_jianguo")
    with pytest.raises(HostRefused) as refused:
        await clinic.client.person(replace(card, identification_code=bytes(16)), holder)
    assert (refused.value.code, refused.value.words) == ("-1", "卡信息不正确")


async def test_a_paused_insurance_never_settles(clinic: Clinic) -> None:
    """Only state 1 may settle; with any other nothing is sent at all."""
    person = await clinic.person("paused")
    assert not person.in_force
    sent = len(clinic.link.sent)
    for act in (clinic.client.quote, clinic.client.settle):
        with pytest.raises(HostRefused, match="insurance_not_in_force"):
            await act(person, clinic.bill("paused"), True, clinic.client.new_message_id())
    assert len(clinic.link.sent) == sent


async def test_employees_pay_by_fund_and_account(clinic: Clinic) -> None:
    """Employee scheme at a hospital of level 3: half of the scope above the deductible, then the account, then cash."""
    person, bill = await clinic.person("wang_xiulan"), clinic.bill("wang_xiulan")
    quote = await clinic.client.quote(person, bill, True, clinic.client.new_message_id())
    # In scope 410.74: 100 deductible, half of the rest from the fund; 2,864.15 in the account pay what is left.
    assert bill.in_scope_fen == 41_114
    assert (quote.fund_fen, quote.account_fen, quote.cash_fen) == (15_557, 44_423, 0)
    assert quote.balance_after_fen == 286_415 - 44_423
    without = await clinic.client.quote(person, bill, False, clinic.client.new_message_id())
    assert (without.fund_fen, without.account_fen, without.cash_fen) == (15_557, 0, 44_423)


async def test_residents_have_no_account(clinic: Clinic) -> None:
    """Residents' scheme: its own deductible and ratio, and the account pays nothing even when asked to."""
    person, bill = await clinic.person("zhao_min"), clinic.bill("zhao_min")
    quote = await clinic.client.quote(person, bill, True, clinic.client.new_message_id())
    fund = round((bill.in_scope_fen - 5000) * 0.4)
    assert (quote.fund_fen, quote.account_fen, quote.cash_fen) == (fund, 0, bill.total_fen - fund)


async def test_people_insured_elsewhere_get_another_ratio(clinic: Clinic) -> None:
    """Who is insured in another place gets ten points less, and the message names that place."""
    person, bill = await clinic.person("long_name"), clinic.bill("long_name")
    assert person.insured_place == "990002"
    quote = await clinic.client.quote(person, bill, True, clinic.client.new_message_id())
    assert quote.fund_fen == round((bill.in_scope_fen - 10_000) * 0.4)
    with pytest.raises(HostRefused):
        await clinic.client.quote(replace(person, insured_place="990001"), bill, True, clinic.client.new_message_id())


async def test_deductible_and_account_are_used_up(clinic: Clinic) -> None:
    """The second bill of a year finds the deductible used and the account poorer; a void gives both back."""
    person, first, made = await settled(clinic, "wang_xiulan")
    second = clinic.bill("wang_xiulan", 1)
    after = await clinic.person("wang_xiulan")
    assert after.balance_fen == person.balance_fen - made.split.account_fen
    quote = await clinic.client.quote(after, second, True, clinic.client.new_message_id())
    assert quote.fund_fen == second.in_scope_fen // 2
    await clinic.client.void(person, made, clinic.client.new_message_id())
    assert (await clinic.person("wang_xiulan")).balance_fen == person.balance_fen
    again = await clinic.client.quote(person, second, True, clinic.client.new_message_id())
    assert again.fund_fen == 0
    assert first.total_fen == made.split.total_fen


# --- outcomes ---------------------------------------------------------------------------------------------------------


async def test_a_settlement_is_found_again(clinic: Clinic) -> None:
    """2207 answers our message id, and 5203 finds the same settlement by it; another id finds nothing."""
    person, bill, made = await settled(clinic, "li_jianguo", 1)
    found = await clinic.client.find(treatment_of(person, bill), made.message_id)
    assert found == made
    assert await clinic.client.find(treatment_of(person, bill), clinic.client.new_message_id()) is None


async def test_a_voided_settlement_is_not_found(clinic: Clinic) -> None:
    """After 2208 the platform shows settlement and void; ours counts as undone, and can be settled anew."""
    person, bill, made = await settled(clinic, "li_jianguo", 1)
    await clinic.client.void(person, made, clinic.client.new_message_id())
    assert await clinic.client.find(treatment_of(person, bill), made.message_id) is None
    with pytest.raises(HostRefused):
        await clinic.client.void(person, made, clinic.client.new_message_id())
    anew = await clinic.client.settle(person, bill, True, clinic.client.new_message_id())
    found = await clinic.client.find(treatment_of(person, bill), anew.message_id)
    assert found is not None
    assert found.settlement_id == anew.settlement_id


async def test_silence_after_booking_is_found_out(clinic: Clinic) -> None:
    """A platform that books and says nothing leaves the outcome unknown; 5203 knows."""
    person, bill = await clinic.person("li_jianguo"), clinic.bill("li_jianguo", 1)
    message_id = clinic.client.new_message_id()
    clinic.link.deaf = True
    with pytest.raises(OutcomeUnknown):
        await clinic.client.settle(person, bill, True, message_id)
    clinic.link.deaf = False
    found = await clinic.client.find(treatment_of(person, bill), message_id)
    assert found is not None
    assert found.message_id == message_id


async def test_reversal_takes_an_unknown_settlement_away(clinic: Clinic) -> None:
    """2601 ends what 2207 left unknown, whether it had booked or not; the account is whole again."""
    person, bill = await clinic.person("li_jianguo"), clinic.bill("li_jianguo", 1)
    booked, lost = clinic.client.new_message_id(), clinic.client.new_message_id()
    await clinic.client.settle(person, bill, True, booked)
    for message_id in (booked, lost):
        await clinic.client.reverse(treatment_of(person, bill), message_id, "2207", clinic.client.new_message_id())
    assert await clinic.client.find(treatment_of(person, bill), booked) is None
    assert clinic.platform.balance_of("li_jianguo") == person.balance_fen
    with pytest.raises(HostRefused):  # what was reversed before it came never books
        await clinic.client.settle(person, bill, True, lost)


async def test_reversal_of_a_void_puts_the_settlement_back(clinic: Clinic) -> None:
    """2601 for an unknown 2208: the settlement stands again."""
    person, bill, made = await settled(clinic, "li_jianguo", 1)
    void_id = clinic.client.new_message_id()
    await clinic.client.void(person, made, void_id)
    await clinic.client.reverse(treatment_of(person, bill), void_id, "2208", clinic.client.new_message_id())
    assert await clinic.client.find(treatment_of(person, bill), made.message_id) == made


async def test_reversal_overtakes_the_settlement(clinic: Clinic) -> None:
    """A 2207 that was still under way books after its 2601 was answered: not found proves nothing."""
    person, bill = await clinic.person("li_jianguo"), clinic.bill("li_jianguo", 1)
    clinic.platform.behaviour.overtaken = True
    message_id, treatment = clinic.client.new_message_id(), treatment_of(person, bill)
    with pytest.raises(OutcomeUnknown):
        await clinic.client.settle(person, bill, True, message_id)
    assert await clinic.client.find(treatment, message_id) is None
    await clinic.client.reverse(treatment, message_id, "2207", clinic.client.new_message_id())
    found = await clinic.client.find(treatment, message_id)
    assert found is not None
    assert found.message_id == message_id


@pytest.mark.parametrize(("habit", "booked"), [("dedupe", 1), ("book_twice", 2), ("refuse", 1)])
async def test_a_repeated_message_is_the_platforms_habit(clinic: Clinic, habit: str, booked: int) -> None:
    """Told twice, the same 2207 is answered again, booked again, or refused: that is why nothing is told twice."""
    clinic.platform.behaviour.on_repeat = habit
    person, bill, made = await settled(clinic, "li_jianguo", 1)
    if habit == "refuse":
        with pytest.raises(HostRefused):
            await clinic.client.settle(person, bill, True, made.message_id)
    else:
        again = await clinic.client.settle(person, bill, True, made.message_id)
        assert (again == made) == (habit == "dedupe")
    assert len(clinic.platform.platform.live(person.person_number, bill.visit_number)) == booked


async def test_a_settled_visit_is_not_settled_again(clinic: Clinic) -> None:
    """A second 2207 for the same visit under another message id is refused."""
    person, bill, _ = await settled(clinic, "li_jianguo", 1)
    with pytest.raises(HostRefused, match="-1"):
        await clinic.client.settle(person, bill, True, clinic.client.new_message_id())


async def test_books_survive_a_restart(clinic: Clinic, tmp_path: Path) -> None:
    """A platform that is started again knows what it settled, and whom it had signed on."""
    person, bill, made = await settled(clinic, "li_jianguo", 1)
    again = Clinic(tmp_path)
    assert await again.client.find(treatment_of(person, bill), made.message_id) == made
    again.platform.close()


# --- figures ----------------------------------------------------------------------------------------------------------


async def test_a_quote_that_contradicts_itself_is_held(clinic: Clinic) -> None:
    """Figures that break an identity are no quote; the exception names what broke."""
    clinic.platform.behaviour.breaks_identity = True
    person = await clinic.person("wang_xiulan")
    with pytest.raises(AmountsDisagree) as held:
        await clinic.client.quote(person, clinic.bill("wang_xiulan"), True, clinic.client.new_message_id())
    assert held.value.identities == ("funds_make_fund", "rows_make_fund", "parts_make_total")


async def test_a_settlement_that_contradicts_itself_stands(clinic: Clinic) -> None:
    """What is booked is booked: it comes back with the names of the identities, for a case."""
    clinic.platform.behaviour.breaks_identity = True
    _, _, made = await settled(clinic, "wang_xiulan")
    assert "parts_make_total" in made.split.disagreements


async def test_settling_may_differ_from_the_quote(clinic: Clinic) -> None:
    """2207 may answer other figures than 2206: they are told apart."""
    person, bill = await clinic.person("wang_xiulan"), clinic.bill("wang_xiulan")
    quote = await clinic.client.quote(person, bill, True, clinic.client.new_message_id())
    clinic.platform.behaviour.settles_differently = True
    made = await clinic.client.settle(person, bill, True, clinic.client.new_message_id())
    assert not made.split.same_money(quote)
    assert made.split.cash_fen == quote.cash_fen + 100
    assert made.split.disagreements == ()


async def test_every_bill_of_the_demo_world_adds_up(clinic: Clinic) -> None:
    """Every bill in the demo world is quoted and settled with the same money and no identity broken."""
    for card in clinic.world.cards:
        resident = clinic.world.resident(card.resident)
        if card.handle != resident.handle and card.handle not in ("long_name", "spec_3"):
            continue
        for number in range(len(resident.bills)):
            person, bill = await clinic.person(card.handle), clinic.bill(card.handle, number)
            quote = await clinic.client.quote(person, bill, True, clinic.client.new_message_id())
            made = await clinic.client.settle(person, bill, True, clinic.client.new_message_id())
            assert made.split.same_money(quote)
            assert made.split.disagreements == ()


# --- sign-on ----------------------------------------------------------------------------------------------------------


async def test_the_sign_on_number_is_in_every_message(clinic: Clinic) -> None:
    """One 9001 a day; every message after it carries its number, the terminal's kind and its own id."""
    await clinic.person("li_jianguo")
    await clinic.person("li_jianguo")
    sent = [msgspec.json.decode(one) for one in clinic.link.sent]
    assert [one["infno"] for one in sent] == ["9001", "1101", "1101"]
    assert sent[1]["sign_no"] == sent[2]["sign_no"] != ""
    assert {one["opter_type"] for one in sent} == {"2"}
    assert len({one["msgid"] for one in sent}) == 3


async def test_signed_off_means_sign_on_again(clinic: Clinic) -> None:
    """After 9002 the number is worthless, and the next message signs on first."""
    await clinic.person("li_jianguo")
    await clinic.client.sign_off()
    await clinic.person("li_jianguo")
    assert [msgspec.json.decode(one)["infno"] for one in clinic.link.sent] == ["9001", "1101", "9002", "9001", "1101"]


async def test_a_lost_sign_on_is_told_by_its_regional_code(tmp_path: Path) -> None:
    """When the platform forgot the number, that message is refused and the next one signs on first."""
    clinic = Clinic(tmp_path, rules=MedicalInsuranceRules(sign_on_codes=["-2"]))
    await clinic.person("li_jianguo")
    clinic.platform.books.execute("UPDATE sign_ons SET off = 1")
    with pytest.raises(HostRefused):
        await clinic.person("li_jianguo")
    assert (await clinic.person("li_jianguo")).in_force
    clinic.platform.close()


async def test_a_settlement_that_never_left_is_refused(tmp_path: Path) -> None:
    """Silence at the sign-on before a 2207 means that it surely did not happen; before a 2601 nothing is known."""
    clinic = Clinic(tmp_path)
    person, bill = await clinic.person("li_jianguo"), clinic.bill("li_jianguo", 1)
    await clinic.client.sign_off()
    clinic.link.mute = True
    with pytest.raises(HostRefused, match="not_signed_on"):
        await clinic.client.settle(person, bill, True, clinic.client.new_message_id())
    with pytest.raises(OutcomeUnknown):
        await clinic.client.reverse(treatment_of(person, bill), "M", "2207", clinic.client.new_message_id())
    clinic.platform.close()


async def test_a_regions_system_error_is_unknown(tmp_path: Path) -> None:
    """Where the region's -1 means "system error", it is no refusal."""
    clinic = Clinic(tmp_path, rules=MedicalInsuranceRules(unknown_codes=["-1"]))
    with pytest.raises(OutcomeUnknown, match="infcode -1"):
        await clinic.client.person(
            replace(clinic.card("li_jianguo")[0], card_number="ZZZZZZZZZ"), clinic.card("li_jianguo")[1]
        )
    assert clinic.platform.clock() == NOON
    clinic.platform.close()
