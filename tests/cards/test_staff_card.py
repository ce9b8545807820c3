"""The staff card: read, proven and refused; over a real pcscd, and its certificate alone."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from drivers.apdu import staff_card
from drivers.apdu.status import CardRefused
from drivers.pin_entry import make_pin_entry
from drivers.transport.scard import drive
from kiosk.basics.log import JsonLog
from kiosk.domain.card import PinResult, PinTemplate, PinVerdict
from kiosk.domain.staff import NotStaff, StaffRole
from kiosk.ports import DeviceFault
from kiosk.ports.staff import StaffCardReader
from kiosk.staff.certificate import check_certificate, check_signature
from simulators.cards.staff import Credentials, VirtualStaffCard
from simulators.pki import Pki, make_pki, staff_credentials
from simulators.worlds.world import StaffEntry
from tests.cards.stand import CardStand, make_card
from tests.pad_stand import pad_on_pty

NOW = datetime.now(UTC)
CHALLENGE = bytes(range(32))


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


def make_staff(pki: Pki, role: str = "clerk", **wishes: object) -> VirtualStaffCard:
    entry = StaffEntry(handle="jia", title="t", staff_id="1001", role=role)
    return VirtualStaffCard(entry, Credentials(*staff_credentials(pki, "jia", "1001", role, **wishes)))  # type: ignore[arg-type]


def certificate_of(card: VirtualStaffCard) -> bytes:
    return drive(staff_card.certificate(), card.transmit)


def test_a_staff_card_proves_who_it_is(pki: Pki) -> None:
    """Its certificate names id and role, and its key signs what the terminal chose."""
    card = make_staff(pki, "supervisor")
    found = certificate_of(card)
    staff = check_certificate(found, pki.staff_ca, NOW)
    assert (staff.staff_id, staff.role) == ("1001", StaffRole.SUPERVISOR)
    check_signature(found, CHALLENGE, drive(staff_card.signature(CHALLENGE), card.transmit))


@pytest.mark.parametrize(
    ("wishes", "reason"),
    [
        ({"expired": True}, "expired"),
        ({"issuer": "stranger-ca"}, "certificate"),
        ({"issuer": "hosts-ca"}, "certificate"),
    ],
)
def test_other_certificates_let_nobody_in(pki: Pki, wishes: dict[str, object], reason: str) -> None:
    """Run out, or signed by anybody but the staff authority, be it another authority of the same agency."""
    with pytest.raises(NotStaff) as refused:
        check_certificate(certificate_of(make_staff(pki, **wishes)), pki.staff_ca, NOW)
    assert refused.value.reason == reason


@pytest.mark.parametrize("away", [timedelta(days=-400), timedelta(days=400)])
def test_a_certificate_has_its_time(pki: Pki, away: timedelta) -> None:
    """Neither before nor after."""
    with pytest.raises(NotStaff) as refused:
        check_certificate(certificate_of(make_staff(pki)), pki.staff_ca, NOW + away)
    assert refused.value.reason == "expired"


def test_a_role_that_is_none_lets_nobody_in(pki: Pki) -> None:
    """The authority's signature alone is not enough: the title must be a role of ours."""
    certificate, _ = staff_credentials(pki, "jia", "1001", "director")
    with pytest.raises(NotStaff):
        check_certificate(certificate.public_bytes(serialization.Encoding.DER), pki.staff_ca, NOW)


def test_the_authority_itself_is_no_staff(pki: Pki) -> None:
    """A certificate of an authority cannot be presented as a card's."""
    authority = x509.load_pem_x509_certificate(pki.staff_ca.read_bytes())
    with pytest.raises(NotStaff):
        check_certificate(authority.public_bytes(serialization.Encoding.DER), pki.staff_ca, NOW)


def test_without_an_anchor_there_is_no_staff(pki: Pki, tmp_path: Path) -> None:
    """No settings, no file, or no certificate in it: the staff side stays shut."""
    (tmp_path / "empty.pem").write_bytes(b"")
    for path in (Path(), tmp_path / "missing.pem", tmp_path / "empty.pem", pki.host_certificate):
        with pytest.raises(NotStaff) as refused:
            check_certificate(certificate_of(make_staff(pki)), path, NOW)
        assert refused.value.reason == "no_anchor"


def test_a_copied_certificate_without_its_key_is_found_out(pki: Pki) -> None:
    """Anybody can read a certificate off a card; only the card has the key."""
    certificate, _ = staff_credentials(pki, "jia", "1001", "clerk")
    _, other_key = staff_credentials(pki, "yi", "1002", "clerk")
    entry = StaffEntry(handle="forged", title="t", staff_id="1001")
    forged = VirtualStaffCard(entry, Credentials(certificate, other_key))
    found = certificate_of(forged)
    check_certificate(found, pki.staff_ca, NOW)
    with pytest.raises(NotStaff) as refused:
        check_signature(found, CHALLENGE, drive(staff_card.signature(CHALLENGE), forged.transmit))
    assert refused.value.reason == "signature"


def test_an_old_answer_does_not_fit_a_new_challenge(pki: Pki) -> None:
    """A recorded signature opens nothing."""
    card = make_staff(pki)
    old = drive(staff_card.signature(CHALLENGE), card.transmit)
    for challenge, signature in ((os.urandom(32), old), (CHALLENGE, b""), (CHALLENGE, bytes(64))):
        with pytest.raises(NotStaff):
            check_signature(certificate_of(card), challenge, signature)


def test_a_residents_card_is_no_staff_card() -> None:
    """Its chip has no such application, so there is neither certificate nor signature."""
    card = make_card()
    assert drive(staff_card.identification_code(), card.transmit) == b""
    assert drive(staff_card.signature(CHALLENGE), card.transmit) == b""
    assert drive(staff_card.resident_or_staff_code(), card.transmit) == card.identification_code


@given(st.lists(st.binary(min_size=2, max_size=258), min_size=1, max_size=40))
def test_a_card_that_talks_nonsense_raises_nothing_but_refusal(answers: list[bytes]) -> None:
    """Whatever bytes come back: the certificate ends, bounded, or the card is refused."""
    said = iter(answers)

    def transmit(apdu: bytes) -> bytes:
        return next(said, b"\x6f\x00")

    try:
        found = drive(staff_card.certificate(), transmit)
    except CardRefused:
        return
    assert len(found) <= staff_card.CERTIFICATE_BYTES_MAX


async def test_the_reader_tells_staff_from_residents(stand: CardStand, pki: Pki) -> None:
    """A staff card has no identity of a resident's; the reader says so, reads it and lets it sign."""
    assert isinstance(stand.reader, StaffCardReader)
    await stand.insert(make_staff(pki))  # type: ignore[arg-type]
    with pytest.raises(DeviceFault) as staff:
        await stand.reader.read_identity()
    assert staff.value.health.reason == "card_staff"
    card = await stand.reader.read_staff_card()
    assert check_certificate(card.certificate_der, pki.staff_ca, NOW).staff_id == "1001"
    check_signature(card.certificate_der, CHALLENGE, await stand.reader.staff_signature(CHALLENGE))
    assert await stand.reader.same_card(card.identity)
    assert (await stand.next_card(make_card())).spec_version == "2.00"
    assert not await stand.reader.same_card(card.identity)
    with pytest.raises(DeviceFault):
        await stand.reader.read_staff_card()


@pytest.fixture
async def pad(stand: CardStand, tmp_path: Path) -> AsyncIterator[object]:
    async with pad_on_pty(tmp_path / "pad") as running:
        yield running


async def test_its_pin_goes_the_residents_way(stand: CardStand, pki: Pki, pad) -> None:  # type: ignore[no-untyped-def]
    """Mode B's process finds the staff application by itself: wrong costs a try, right opens."""
    entry = make_pin_entry("B", stand.reader, pad.driver, {}, JsonLog(stand.log))
    card = make_staff(pki)
    await stand.insert(card)  # type: ignore[arg-type]
    identity = (await stand.reader.read_staff_card()).identity
    for pin, verdict in (("999999", PinVerdict(PinResult.WRONG, 2)), ("135790", PinVerdict(PinResult.OK))):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pad.type, pin, "enter")
            assert await entry.verify_chip_pin(identity, PinTemplate(6, 6, 20.0), lambda progress: None) == verdict
    assert card.tries_left == 3
