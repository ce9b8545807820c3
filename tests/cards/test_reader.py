"""The PC/SC reader and the PSAM over a real pcscd: what works, and every way in which a card leaves."""

import pytest
import trio

from drivers.card_reader.pcsc.driver import open_device
from drivers.transport.flat import open_flat_nursery
from kiosk.domain.card import Sex
from kiosk.domain.health import Condition
from kiosk.ports import CardGone, CardNotGenuine, DeviceFault
from simulators.cards.card import Habits
from simulators.cards.slot import Faults
from tests.cards.stand import NAME, NUMBER, CardStand, Hsm, make_card


@pytest.mark.parametrize("spec", ["1.00", "2.00", "3.00"])
async def test_a_card_is_read_proven_and_opened_by_psam(stand: CardStand, spec: str) -> None:
    """Identity, genuine check and holder of each generation, the PSAM holding the keys."""
    psam = await stand.psam()
    await stand.insert(make_card(spec=spec))
    identity = await stand.reader.read_identity()
    await stand.reader.prove_genuine(psam)
    holder = await stand.reader.read_holder()
    assert (identity.spec_version, identity.city, len(identity.card_number)) == (spec, "410100", 9)
    assert (holder.name, holder.social_security_number) == (NAME, NUMBER)
    assert (holder.sex, holder.nation, str(holder.born)) == (Sex.FEMALE, "05", "1949-12-31")
    assert await stand.reader.same_card(identity)
    assert (psam.serial, psam.terminal) == ("41010000000000000001", "410100000001")


async def test_the_hsm_opens_a_third_generation_card(stand: CardStand) -> None:
    """Without a PSAM the province's HSM does the same two steps."""
    await stand.insert(make_card(spec="3.00"))
    await stand.reader.prove_genuine(Hsm())
    assert (await stand.reader.read_holder()).name == NAME


async def test_a_third_generation_card_stays_closed_without_authority(stand: CardStand) -> None:
    """EF06 of a 3.00 card answers 6982: nothing personal, said by name."""
    await stand.insert(make_card(spec="3.00"))
    await stand.reader.read_identity()
    with pytest.raises(CardNotGenuine) as refused:
        await stand.reader.read_holder()
    assert refused.value.reason == "no_authority"


async def test_a_psam_without_the_read_key_is_no_authority(stand: CardStand) -> None:
    """As LD/T 33's -2203: the genuine check passes and the holder's file stays closed."""
    psam = await stand.psam(lacks_read_key=True)
    await stand.insert(make_card(spec="3.00"))
    with pytest.raises(CardNotGenuine) as refused:
        await stand.reader.prove_genuine(psam)
    assert refused.value.reason == "no_authority"


@pytest.mark.parametrize("spec", ["2.00", "3.00"])
async def test_a_counterfeit_chip_is_found_out(stand: CardStand, spec: str) -> None:
    """Wrong internal authentication key: not genuine, whatever else is right."""
    await stand.insert(make_card(spec=spec, counterfeit=True))
    with pytest.raises(CardNotGenuine) as refused:
        await stand.reader.prove_genuine(Hsm())
    assert refused.value.reason == "counterfeit"


@pytest.mark.parametrize(
    "habits",
    [
        Habits(read_forms=frozenset({0x04})),
        Habits(read_forms=frozenset({0x05})),
        Habits(select_forms=frozenset({0x00})),
        Habits(get_response=False, exact_le=False),
    ],
)
async def test_makers_differ_and_the_holder_is_the_same(stand: CardStand, habits: Habits) -> None:
    """Every known form of SELECT and READ RECORD leads to the same holder."""
    await stand.insert(make_card(habits=habits))
    assert len((await stand.reader.read_identity()).identification_code) == 16
    assert (await stand.reader.read_holder()).name.startswith(NAME[:10])


async def test_malformed_dates_are_no_dates(stand: CardStand) -> None:
    """ASCII "2012" in a date item: the card is read, the date is unknown."""
    await stand.insert(make_card(raw={"05": "32303132", "06": "FFFFFFFF"}))
    identity = await stand.reader.read_identity()
    assert (identity.issued, identity.expires) == (None, None)


async def test_a_bank_card_is_foreign(stand: CardStand) -> None:
    """A chip without identification code is no social security card."""
    await stand.insert(make_card(raw={"01": ""}))
    with pytest.raises(DeviceFault) as foreign:
        await stand.reader.read_identity()
    assert foreign.value.health.reason == "card_foreign"


@pytest.mark.parametrize(
    "faults", [Faults(pull_after_apdus=4), Faults(pull_inside_apdu=4)], ids=["between two APDUs", "inside one"]
)
async def test_a_card_pulled_while_it_is_read_is_gone(stand: CardStand, faults: Faults) -> None:
    """CardGone at once and for every later verb; the next card is served."""
    stand.slot.faults = faults
    await stand.insert(make_card())
    with pytest.raises(CardGone):
        await stand.reader.read_identity()
    with pytest.raises(CardGone):
        await stand.reader.read_holder()
    assert (await stand.next_card(make_card(spec="3.00"))).spec_version == "3.00"


async def test_a_swift_swap_never_continues_on_the_new_card(stand: CardStand) -> None:
    """Another card within pcscd's poll: the old insertion ends, the new card begins one of its own."""
    await stand.insert(make_card("first"))
    identity = await stand.reader.read_identity()
    await stand.slot.insert(make_card("second", number="B00000131"), swift=True)
    with pytest.raises(CardGone):
        while True:
            assert await stand.reader.same_card(identity)
    with trio.fail_after(5):
        await stand.reader.wait_card()
    assert (await stand.reader.read_identity()).card_number == "B00000131"


async def test_pcscd_may_die_and_return(stand: CardStand) -> None:
    """Killed and restarted under a card that stays in: reported, then a new insertion of the same card."""
    await stand.insert(make_card())
    before = await stand.reader.read_identity()
    stand.pcscd.kill()
    await stand.empty()
    with pytest.raises(CardGone):
        await stand.reader.read_holder()
    assert stand.reports[-1].condition is Condition.ABSENT
    stand.pcscd.restart()
    with trio.fail_after(8):
        await stand.reader.wait_card()
    assert await stand.reader.read_identity() == before
    assert stand.reports[-1].condition is Condition.READY


async def test_pcscd_may_die_inside_an_apdu(stand: CardStand) -> None:
    """The verb that waits for the card's answer ends as CardGone, and the next insertion works."""
    stand.slot.faults = Faults(answer_delay_s=0.3)
    await stand.insert(make_card())
    with pytest.raises(CardGone):
        async with open_flat_nursery() as nursery:
            nursery.start_soon(stand.reader.read_identity)
            await trio.sleep(0.1)
            stand.pcscd.kill()
    stand.slot.faults = Faults()
    stand.pcscd.restart()
    with trio.fail_after(8):
        await stand.reader.wait_card()
    assert (await stand.reader.read_identity()).spec_version == "2.00"


async def test_a_mute_card_holds_nothing_up(stand: CardStand) -> None:
    """No answer within the limit: card_mute; it counts as present till it is pulled; the next card is served."""
    await stand.insert(make_card(mute=True))
    with pytest.raises(DeviceFault) as mute:
        await stand.reader.read_identity()
    assert mute.value.health.reason == "card_mute"
    assert stand.reader.card_present
    with pytest.raises(CardGone):
        await stand.reader.read_holder()
    assert (await stand.next_card(make_card())).spec_version == "2.00"


async def test_a_card_that_goes_mute_later_is_gone(stand: CardStand) -> None:
    """Once read, silence means CardGone: the session is over."""
    await stand.insert(make_card())
    await stand.reader.read_identity()
    stand.slot.faults = Faults(mute_after_apdus=stand.slot.apdu_count)
    with pytest.raises(CardGone):
        await stand.reader.read_holder()
    assert (await stand.next_card(make_card())).spec_version == "2.00"


async def test_a_cancelled_verb_stops_between_apdus(stand: CardStand) -> None:
    """Cancelling does not end the insertion: the next verb goes on with the same card."""
    stand.slot.faults = Faults(answer_delay_s=0.05)
    await stand.insert(make_card())
    with trio.move_on_after(0.12) as cut:
        await stand.reader.read_identity()
    assert cut.cancelled_caught
    stand.slot.faults = Faults()
    assert (await stand.reader.read_identity()).spec_version == "2.00"


async def test_a_reader_that_is_not_there_is_a_fault(stand: CardStand) -> None:
    """The supervisor hears reader_absent instead of waiting for ever."""
    absent = open_device({"reader": "no such reader", "find_s_max": 0.3}, stand.context("card_reader"))
    with pytest.raises(DeviceFault) as fault:
        async with open_flat_nursery() as nursery:
            await nursery.start(absent.run)
    assert fault.value.health.reason == "reader_absent"


async def test_nothing_personal_is_logged(stand: CardStand) -> None:
    """The driver's log names neither the holder nor the card."""
    await stand.insert(make_card())
    identity = await stand.reader.read_identity()
    await stand.reader.prove_genuine(Hsm())
    await stand.reader.read_holder()
    logged = stand.log.getvalue()
    assert logged
    for secret in (NAME, NUMBER, identity.card_number, identity.identification_code.hex()):
        assert secret not in logged
