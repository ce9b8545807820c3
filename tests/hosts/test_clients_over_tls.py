"""Every verb of every client against its sandbox, over real mutual TLS."""

import hashlib

import pytest

from kiosk.domain.account import Insurance, InsuranceState
from kiosk.domain.card import CardState, PinChange
from kiosk.domain.certificate import CertificateKind
from kiosk.domain.entries import Word
from kiosk.hosts.agency.client import AgencyDutyClient
from kiosk.hosts.card_platform.client import CardPlatformClient
from kiosk.hosts.social_insurance.client import SocialInsuranceClient
from kiosk.ports import HostRefused, OutcomeUnknown
from simulators.cards.keys import external_cryptogram, internal_response
from tests.hosts.conftest import Town


async def test_overview_is_the_residents_own(town: Town) -> None:
    """The account that the agency keeps for the card's holder arrives complete: 13 months, newest first."""
    client = SocialInsuranceClient(town.link("social_insurance"))
    overview = await client.overview(town.identity("chen_ji"), town.holder("chen_ji"))
    assert [one.insurance for one in overview.insurances] == list(Insurance)
    assert all(one.state is InsuranceState.IN_FORCE for one in overview.insurances)
    months = sorted({one.month for one in overview.contributions}, reverse=True)
    assert (len(months), months[0], months[-1]) == (13, "2026-10", "2025-10")
    assert [one.month for one in overview.contributions] == sorted(
        (one.month for one in overview.contributions), reverse=True
    )
    assert overview.account.medical_fen == town.world.resident("chen_ji").medical_fen


async def test_holder_of_another_card_is_refused(town: Town) -> None:
    """A chip whose number is not the one the agency has for the card is a case for the counter."""
    client = SocialInsuranceClient(town.link("social_insurance"))
    with pytest.raises(HostRefused) as refused:
        await client.overview(town.identity("chen_ji"), town.holder("wang_xiulan"))
    assert refused.value.code == "holder_differs"
    assert refused.value.words


@pytest.mark.parametrize("kind", list(CertificateKind))
async def test_certificate_arrives_with_its_hash(town: Town, kind: CertificateKind) -> None:
    """Each of the three kinds is issued, fetched by number, and is byte for byte the one that was announced."""
    client = SocialInsuranceClient(town.link("social_insurance"))
    document = await client.issue_certificate(
        town.identity("wang_xiulan"), town.holder("wang_xiulan"), kind, "key-0001"
    )
    assert document.pdf.startswith(b"%PDF-")
    assert hashlib.sha256(document.pdf).hexdigest() == document.sha256
    assert document.number in document.verify_at
    assert (document.valid_until is None) == (kind is CertificateKind.RIGHTS_RECORD)


async def test_same_key_is_the_same_certificate(town: Town) -> None:
    """Asking again with the key of an unknown outcome gives the one certificate that was made, not a second one."""
    client = SocialInsuranceClient(town.link("social_insurance"))
    card, holder = town.identity("wang_xiulan"), town.holder("wang_xiulan")
    first = await client.issue_certificate(card, holder, CertificateKind.INSURANCE, "key-0001")
    again = await client.issue_certificate(card, holder, CertificateKind.INSURANCE, "key-0001")
    other = await client.issue_certificate(card, holder, CertificateKind.INSURANCE, "key-0002")
    assert again == first
    assert other.number != first.number
    assert len(town.agency.certificates()) == 2


async def test_key_of_another_certificate_is_refused(town: Town) -> None:
    """A key names one person and one kind for ever."""
    client = SocialInsuranceClient(town.link("social_insurance"))
    card, holder = town.identity("wang_xiulan"), town.holder("wang_xiulan")
    await client.issue_certificate(card, holder, CertificateKind.INSURANCE, "key-0001")
    with pytest.raises(HostRefused, match="key_reused"):
        await client.issue_certificate(card, holder, CertificateKind.RIGHTS_RECORD, "key-0001")


async def test_no_benefits_no_certificate(town: Town) -> None:
    """Who draws no benefit gets a refusal instead of an empty certificate."""
    client = SocialInsuranceClient(town.link("social_insurance"))
    with pytest.raises(HostRefused, match="no_benefits"):
        await client.issue_certificate(
            town.identity("chen_ji"), town.holder("chen_ji"), CertificateKind.BENEFIT, "key-0001"
        )


async def test_unknown_certificate_fault_of_the_wire_is_unknown(town: Town) -> None:
    """When the agency books and then says nothing, the outcome is unknown and the key finds the certificate later."""
    town.weather.change(drop_answer=True)
    card, holder = town.identity("wang_xiulan"), town.holder("wang_xiulan")
    impatient = SocialInsuranceClient(town.link("social_insurance", town.settings("social_insurance", deadline_s=0.5)))
    with pytest.raises(OutcomeUnknown):
        await impatient.issue_certificate(card, holder, CertificateKind.INSURANCE, "key-0001")
    town.weather.clear()
    client = SocialInsuranceClient(town.link("social_insurance"))
    document = await client.issue_certificate(card, holder, CertificateKind.INSURANCE, "key-0001")
    booked = town.agency.certificates()
    assert [row[0] for row in booked] == [document.number]


async def test_card_state_is_mapped_from_regional_codes(town: Town) -> None:
    """The default map knows Shandong's codes, a region's own map replaces it, and a code outside it is UNKNOWN."""
    link = town.link("card_platform")
    card = town.identity("chen_ji")
    assert await CardPlatformClient(link).card_state(card) is CardState.NORMAL
    assert await CardPlatformClient(link, {"1": CardState.LOST}).card_state(card) is CardState.LOST
    assert await CardPlatformClient(link, {"9": CardState.NORMAL}).card_state(card) is CardState.UNKNOWN


async def test_a_batch_has_a_result_for_each_and_keeps_order(town: Town) -> None:
    """Unknown cards are refused, the rest is booked once however often it is told; of one card nothing overtakes."""
    client = CardPlatformClient(town.link("card_platform"))
    number, at = town.identity("chen_ji").card_number, "2026-11-22T10:00:00+08:00"
    changes = [
        PinChange("key-0001", number, at),
        PinChange("key-0002", "ZZZZZZZZ9", at),
        PinChange("key-0003", "ZZZZZZZZ9", at),
        PinChange("key-0004", number, at),
    ]
    for _ in range(2):
        results = await client.notice_pins_changed(changes)
        assert [(one.key[-1], one.word.value, one.code) for one in results if one.word is not Word.DONE] == [
            ("2", "refused", "no_such_card"),
            ("3", "later", "refused"),
        ]
    assert town.platform.pin_changes() == [("key-0001", number), ("key-0004", number)]
    await client.notice_pin_changed(number, at, "key-0001")
    assert len(town.platform.pin_changes()) == 2, "alone or together, a key is one notice"
    with pytest.raises(HostRefused, match="bad_request"):
        await client.notice_pins_changed([PinChange(f"key-{count:04d}", number, at) for count in range(51)])


async def test_hsm_tells_genuine_from_counterfeit(town: Town) -> None:
    """The HSM accepts what the card's own key makes of the challenge, and nothing else."""
    client = CardPlatformClient(town.link("card_platform"))
    card, challenge = town.identity("chen_ji"), bytes(range(16))
    response = internal_response(town.world.keys, card.city, card.random_seed, challenge)
    assert await client.internal_authentication_ok(card, challenge, response)
    assert not await client.internal_authentication_ok(card, challenge, bytes(16))
    assert not await client.internal_authentication_ok(town.identity("wang_xiulan"), challenge, response)


async def test_hsm_opens_the_holders_file(town: Town) -> None:
    """The cryptogram from the HSM is the one that the card computes for its own random."""
    client = CardPlatformClient(town.link("card_platform"))
    card, card_random = town.identity("chen_ji"), bytes.fromhex("0011223344556677")
    expected = external_cryptogram(town.world.keys, card.city, card.random_seed, card_random)
    assert await client.external_authentication(card, card_random) == expected


async def test_pin_notice_is_booked_once(town: Town) -> None:
    """A notice told twice with one key stands once in the platform's books."""
    client = CardPlatformClient(town.link("card_platform"))
    number = town.identity("chen_ji").card_number
    for _ in range(2):
        await client.notice_pin_changed(number, "2026-11-21T10:00:00+08:00", "key-0001")
    assert town.platform.pin_changes() == [("key-0001", number)]


async def test_unknown_card_is_refused(town: Town) -> None:
    """The platform says no to a card that it never issued."""
    client = CardPlatformClient(town.link("card_platform"))
    with pytest.raises(HostRefused, match="no_such_card"):
        await client.notice_pin_changed("ZZZZZZZZ9", "2026-11-21T10:00:00+08:00", "key-0001")


async def test_staff_are_called_once_a_case(town: Town) -> None:
    """The desk acknowledges with minutes, and a case that calls twice is one call."""
    client = AgencyDutyClient(town.link("agency_duty"))
    for _ in range(2):
        acknowledged = await client.call_staff("一楼大厅", "print_certificate", "482913", "paper_left")
        assert acknowledged.minutes > 0
    assert len(town.desk.calls()) == 1


async def test_nobody_at_the_desk_is_unknown(town: Town) -> None:
    """Without an acknowledgement nobody may say that staff have been called."""
    town.weather.change(nobody_at_desk=True)
    client = AgencyDutyClient(town.link("agency_duty"))
    with pytest.raises(OutcomeUnknown):
        await client.call_staff("一楼大厅", "menu", "482913", "resident_asked")
