"""Everything that must not become a terminal: each refused with its reason, on the fleet's record and on the box's."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import CertificateSigningRequestBuilder, Name, NameAttribute
from cryptography.x509.oid import NameOID

from kiosk.basics.signed import Signer
from provisioning.fleet import audit
from provisioning.fleet.actor import NotFound, Refused
from provisioning.fleet.enrolment import claims
from provisioning.fleet.enrolment.expected import Expected, expected, preregister, withdraw
from provisioning.fleet.enrolment.places import Seat
from provisioning.fleet.enrolment.requests import confirm, refuse
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.enrolment import EnrolmentRequest, UsedClaim
from provisioning.fleet.schema.places import PROVINCE, Place
from provisioning.fleet.schema.terminals import Certificate, Terminal
from tests.fleet.client import Answer
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.enrolment.asking import AT, DER, Bare, Desk, given, name_of
from tests.fleet.enrolment.box import ANN, BOB, EVE, Box, claim, steps
from tests.fleet.enrolment.conftest import ADMINISTRATOR, APPROVER, INSTALLER, PROVINCIAL, STRANGER
from tests.fleet.enrolment.lines import Town
from tests.fleet.people import hall_in, make_person

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
CLAIM_PATH = "/enrolment/v1/claim"


@pytest.fixture
def town(desk: Desk, hall: int) -> Town:
    """A fleet that knows two people's keys for this city and a third for another one."""
    for actor, signer in ((ADMINISTRATOR, ANN), (PROVINCIAL, BOB)):
        claims.add_key(actor, signer.name, signer.key.public_key().public_bytes_raw(), AT)
    return Town(desk)


def assert_refused(answer: Answer, code: str, city: str = PROVINCE) -> None:
    """It was refused for this reason, and the city's trail says so."""
    assert (answer.status, answer.json()["code"]) == (403, code)
    rows = AuditRow.select().where((AuditRow.tenant == city) & (AuditRow.act == "turned_away"))
    assert [row.why for row in rows][-1:] == [code]
    assert audit.verify(city).broken_at == 0
    assert Certificate.select().count() == 0


def b64(der: bytes) -> bytes:
    return base64.b64encode(der)


# --- requests ---


def test_a_request_for_another_key_than_the_connections_is_refused(desk: Desk) -> None:
    """Who holds a copy of a request has no key to go with it."""
    assert_refused(desk.enrol(Bare(), shown=Bare()), "wrong_key")


def test_a_weak_key_is_refused(desk: Desk) -> None:
    """Nobody here has RSA of 1024 bits, or a curve of 192."""
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is the point
    request = CertificateSigningRequestBuilder().subject_name(name_of("SN-0000001")).sign(key, hashes.SHA256())
    assert_refused(desk.enrol(Bare(), body=b64(request.public_bytes(DER))), "weak_key")
    small = Bare(key=ec.generate_private_key(ec.SECP192R1()))
    assert_refused(desk.enrol(small), "weak_key")


def test_a_wrong_subject_is_refused(desk: Desk) -> None:
    """A request names one serial number, and one that can be one; nobody chooses which of two is meant."""
    bare = Bare()
    two = Name([NameAttribute(NameOID.COMMON_NAME, one) for one in ("SN-0000001", "SN-0000002")])
    for subject in (Name([]), name_of("no"), name_of("a serial with spaces"), two):
        assert_refused(desk.enrol(bare, body=bare.request(subject)), "wrong_subject")


def test_garbage_and_truncated_requests_are_refused(desk: Desk) -> None:
    """It is no certification request; half of one is none."""
    bare = Bare()
    for body in (b"", b"AAAA", b"not base64 !", b"\xff" * 40, bare.request()[:200]):
        assert_refused(desk.enrol(bare, body=body), "malformed")


def test_a_request_with_another_signature_is_refused(desk: Desk) -> None:
    """One byte of it turned over."""
    bare = Bare()
    der = bytearray(base64.b64decode(bare.request()))
    der[-3] ^= 1
    answer = desk.enrol(bare, body=b64(bytes(der)))
    assert answer.json()["code"] in ("bad_signature", "malformed")
    assert_refused(answer, answer.json()["code"])


def test_a_request_without_end_is_refused(desk: Desk) -> None:
    """More than a request can be long is not read."""
    assert desk.enrol(Bare(), body=b"A" * 20_000).status == 413
    assert EnrolmentRequest.select().count() == 0


def test_a_key_that_names_another_serial_number_later_is_refused(desk: Desk) -> None:
    """One key, one box."""
    bare = Bare()
    assert desk.enrol(bare).status == 202
    other = Bare("SN-0000002", bare.key)
    assert_refused(desk.enrol(other), "serial_differs")


def test_a_key_that_a_person_refused_is_refused(desk: Desk) -> None:
    """And nobody confirms it later: an installer makes the box bare again."""
    bare = Bare()
    desk.enrol(bare)
    refuse(INSTALLER, bare.fingerprint, "nobody ordered this one", AT)
    answer = desk.enrol(bare)
    assert (answer.status, answer.json()["code"]) == (403, "refused")
    with pytest.raises(Refused, match="answered already"):
        confirm(INSTALLER, bare.fingerprint, "T0000007", Place.get(Place.tenant == CITY).id, AT)


def test_a_renewal_of_a_stranger_is_refused(desk: Desk) -> None:
    """The fleet gave this key nothing."""
    assert_refused(desk.renew(Bare()), "unknown")


def test_a_renewal_with_another_key_or_subject_is_refused(desk: Desk, hall: int) -> None:
    """A new key is confirmed like a new terminal, and nobody renews into another terminal's name."""
    bare = Bare()
    desk.enrol(bare)
    confirm(INSTALLER, bare.fingerprint, "T0000007", hall, AT)
    desk.enrol(bare)
    fresh = Bare(certificate=bare.certificate)
    assert desk.renew(bare, body=fresh.request()).json()["code"] == "wrong_key"
    assert desk.renew(bare, body=bare.request(name_of("T0000008"))).json()["code"] == "wrong_subject"
    rows = [row.why for row in AuditRow.select().where((AuditRow.tenant == CITY) & (AuditRow.act == "turned_away"))]
    assert rows == ["wrong_key", "wrong_subject"]


# --- people ---


def test_a_person_without_the_right_is_refused(desk: Desk, hall: int) -> None:
    """An approver alone neither confirms nor expects terminals; without a reason nobody refuses one."""
    bare = Bare()
    desk.enrol(bare)
    with pytest.raises(Refused, match="not yours"):
        confirm(APPROVER, bare.fingerprint, "T0000007", hall, AT)
    with pytest.raises(Refused, match="not yours"):
        preregister(APPROVER, [Expected(seat=Seat("SN-0000001", "T0000007", hall))], AT)
    with pytest.raises(Refused, match="Say why"):
        refuse(INSTALLER, bare.fingerprint, " ", AT)


def test_another_citys_place_is_not_found(desk: Desk, hall: int) -> None:
    """Neither to confirm at, nor to expect terminals at."""
    bare, foreign = Bare(), Place.get(Place.tenant == OTHER).id
    desk.enrol(bare)
    with pytest.raises(NotFound):
        confirm(INSTALLER, bare.fingerprint, "T0000007", foreign, AT)
    with pytest.raises(NotFound):
        preregister(INSTALLER, [Expected(seat=Seat("SN-0000001", "T0000007", foreign))], AT)


def test_a_number_or_serial_that_is_taken_is_refused(desk: Desk, hall: int) -> None:
    """No terminal takes another one's number, and no serial number becomes two terminals."""
    first, second, again = Bare(), Bare("SN-0000002"), Bare()
    for bare in (first, second, again):
        desk.enrol(bare)
    confirm(INSTALLER, first.fingerprint, "T0000007", hall, AT)
    with pytest.raises(Refused, match="has this number"):
        confirm(INSTALLER, second.fingerprint, "T0000007", hall, AT)
    with pytest.raises(Refused, match="another terminal"):
        confirm(INSTALLER, again.fingerprint, "T0000008", hall, AT)
    with pytest.raises(Refused, match="answered already"):
        confirm(INSTALLER, first.fingerprint, "T0000007", hall, AT)


def test_a_new_key_for_a_terminal_of_another_hall_is_refused(desk: Desk, hall: int) -> None:
    """Naming one's own hall does not make another hall's terminal one's own; its certificate stays good."""
    halls = [hall_in(Place.get_by_id(hall)) for _ in range(2)]
    victim, thief = Bare(), Bare()
    desk.enrol(victim)
    confirm(INSTALLER, victim.fingerprint, "T0000007", halls[0].id, AT)
    given(desk.enrol(victim))
    desk.enrol(thief)
    neighbour = make_person(CITY, "neighbour", "operator", place=halls[1].id)
    with pytest.raises(Refused, match="not yours"):
        confirm(neighbour, thief.fingerprint, "T0000007", halls[1].id, AT)
    assert desk.enrol(thief).status == 202
    assert desk.client.get(f"/{CITY}/terminal/v1/T0000007/welcome", desk.known_as(victim)).status == 200


# --- expected ---


def test_an_expected_serial_that_is_a_terminal_already_is_refused_to_the_next_key(desk: Desk, hall: int) -> None:
    """Confirmed by hand before it was met: whoever names its serial number afterwards waits for a person."""
    first, second = Bare(), Bare()
    desk.enrol(first)
    preregister(INSTALLER, [Expected(seat=Seat("SN-0000001", "T0000007", hall))], AT)
    confirm(INSTALLER, first.fingerprint, "T0000007", hall, AT)
    given(desk.enrol(first))
    assert desk.enrol(second).status == 202
    assert desk.client.get(f"/{CITY}/terminal/v1/T0000007/welcome", desk.known_as(first)).status == 200


def test_another_key_for_an_expected_serial_is_refused(desk: Desk, hall: int) -> None:
    """Its maker told the fingerprint; and where nobody did, the second key that comes waits for a person."""
    expected_bare, other, first, second = Bare(), Bare(), Bare("SN-0000002"), Bare("SN-0000002")
    rows = [
        Expected(seat=Seat("SN-0000001", "T0000001", hall), fingerprint=expected_bare.fingerprint),
        Expected(seat=Seat("SN-0000002", "T0000002", hall)),
    ]
    preregister(INSTALLER, rows, AT)
    assert_refused(desk.enrol(other), "another_key", CITY)
    assert [desk.enrol(bare).status for bare in (expected_bare, first, second)] == [200, 200, 202]
    assert [*expected(INSTALLER)] == []


def test_an_expected_serial_that_is_late_or_withdrawn_waits(desk: Desk, hall: int) -> None:
    """It is then confirmed by hand."""
    rows = [
        Expected(seat=Seat("SN-0000001", "T0000001", hall), until_ms=AT + 1000),
        Expected(seat=Seat("SN-0000002", "T0000002", hall)),
    ]
    preregister(INSTALLER, rows, AT)
    withdraw(INSTALLER, "SN-0000002", "sent back", AT)
    desk.at_ms += 2000
    assert [desk.enrol(Bare(serial)).status for serial in ("SN-0000001", "SN-0000002")] == [202, 202]
    with pytest.raises(NotFound):
        withdraw(STRANGER, "SN-0000001", "curious", AT)


def test_rows_that_cannot_be_are_refused_whole(desk: Desk, hall: int) -> None:
    """None of a file is taken in where one of it is wrong."""
    for rows, words in (
        ([("SN-0000001", "T0000001"), ("SN-0000001", "T0000002")], "twice"),
        ([("SN-0000001", "T0000001"), ("SN-0000002", "T0000001")], "twice"),
        ([("SN-0000003", "T0000003"), ("S", "T0000001")], "serial"),
        ([("SN-0000003", "T0000003"), ("SN-0000001", "a terminal")], "terminal_id"),
    ):
        with pytest.raises(Refused, match=words):
            preregister(INSTALLER, [Expected(seat=Seat(serial, number, hall)) for serial, number in rows], AT)
    assert [*expected(INSTALLER)] == []


# --- claims ---


def bring(town: Town, wire: bytes, bare: Bare | None = None) -> Answer:
    bare = bare or Bare()
    return town.desk.client.post(CLAIM_PATH, bare.shown(), body=wire)


def resigned(wire: bytes, **changed: Any) -> bytes:
    """Its words changed, its signatures as they were."""
    told = json.loads(wire)
    told["document"].update(changed)
    return json.dumps(told).encode()


BAD_CLAIMS: dict[str, tuple[Callable[[int], bytes], str]] = {
    "expired": (lambda hall: claim(hall, ends=0), "claim_expired"),
    "one signer": (lambda hall: claim(hall, ANN), "not_trusted"),
    "unknown signer": (lambda hall: claim(hall, ANN, EVE), "not_trusted"),
    "one key under two names": (lambda hall: claim(hall, ANN, Signer("bob", ANN.key)), "not_trusted"),
    "re-signed": (lambda hall: resigned(claim(hall), serial="SN-0000002"), "not_trusted"),
    "truncated": (lambda hall: claim(hall)[:-30], "not_trusted"),
    "empty": (lambda hall: b"", "not_trusted"),
    "foreign serial": (lambda hall: claim(hall, serial="SN-0000002"), "foreign_serial"),
    "foreign city": (lambda hall: claim(hall, tenant=OTHER), "foreign_city"),
    "no such place": (lambda hall: claim(999_999), "no_such_place"),
    "malformed": (lambda hall: claim(hall, terminal_id="a terminal"), "not_trusted"),
}


def test_bad_claims_are_refused(town: Town, hall: int) -> None:
    """By the fleet, whatever the terminal thought of them; and they are not used up by that."""
    for made, code in BAD_CLAIMS.values():
        assert_refused(bring(town, made(hall)), code)
    assert UsedClaim.select().count() == 0


def test_a_replayed_claim_is_refused(town: Town, hall: int) -> None:
    """The first key that brings it has used it; the same key may bring it again, as after a power cut."""
    first, copy = Bare(), Bare()
    assert [bring(town, claim(hall), bare).status for bare in (first, first, copy)] == [204, 204, 403]
    assert_refused(bring(town, claim(hall), copy), "claim_used", CITY)
    assert Terminal.select().count() == 1


def test_a_claim_of_a_retired_key_is_refused(town: Town, hall: int) -> None:
    """One of its signers left: what they signed and nobody used opens nothing more."""
    claims.retire_key(ADMINISTRATOR, "ann", "left the office", AT)
    assert_refused(bring(town, claim(hall)), "not_trusted")


def test_a_claim_for_a_known_terminal_is_refused(town: Town, hall: int) -> None:
    """It is for a bare one; and its number must be free."""
    bare = Bare()
    town.desk.enrol(bare)
    confirm(INSTALLER, bare.fingerprint, "T0000009", hall, AT)
    assert bring(town, claim(hall), bare).json()["code"] == "serial_taken"
    assert bring(town, claim(hall, terminal_id="T0000009"), bare).json()["code"] == "decided"


async def test_the_terminal_refuses_what_its_image_does_not_trust(town: Town, hall: int, tmp_path: Path) -> None:
    """Without asking anybody: unknown signers, a foreign serial number, a network that cannot be, a file too long."""
    reasons = []
    wires = [
        claim(hall, ANN, EVE),
        claim(hall, serial="SN-0000002"),
        claim(hall, network={"static": {"address": "10.1.2.3"}}),
        claim(hall, network={"proxy": "a proxy\nwith a line"}),
        b" " * 70_000,
    ]
    for number, wire in enumerate(wires):
        box = Box(tmp_path / str(number), town)
        box.put_stick(wire)
        enrolment = box.started()
        await enrolment.prepare()
        await enrolment.step()
        reasons.append(box.happened()[0])
        assert CLAIM_PATH not in town.asked
    codes = ["not_trusted", "foreign_serial", "malformed", "malformed", "too_long"]
    assert reasons == [("claim_refused", code) for code in codes]


async def test_a_box_whose_key_was_refused_comes_back_with_a_new_one_by_stick(
    town: Town, hall: int, tmp_path: Path
) -> None:
    """A person said no to its key; two others sign a claim: it makes another key, and the old one stays refused."""
    box = Box(tmp_path / "box", town)
    enrolment = box.started()
    await enrolment.prepare()
    await enrolment.step()
    old = enrolment.standing.fingerprint
    refuse(INSTALLER, old, "nobody ordered this one", AT)
    await enrolment.step()
    assert (enrolment.standing.said, enrolment.standing.why) == ("refused", "refused")
    box.put_stick(claim(hall))
    await steps(enrolment)
    assert enrolment.known() is not None
    assert enrolment.standing.fingerprint != old
    assert EnrolmentRequest.get_by_id(old).state == "refused"
    assert [what for what, _ in box.happened()] == ["refused", "claim_taken", "new_key", "certificate"]


async def test_a_link_on_a_stick_is_refused(town: Town, tmp_path: Path) -> None:
    """What is on a stick is data: nothing is followed off it."""
    box = Box(tmp_path / "box", town)
    box.put_stick(b"", "other")
    folder = box.stick / "yikatong" / "claims"
    (folder / "SN-0000001.json").symlink_to("/etc/passwd")
    enrolment = box.started()
    await enrolment.prepare()
    await enrolment.step()
    assert box.happened() == [("claim_refused", "not_a_file")]


async def test_a_claim_that_the_fleet_refuses_is_on_both_records(town: Town, hall: int, tmp_path: Path) -> None:
    """The terminal puts it away and goes on asking to be confirmed by hand."""
    claims.bring(claim(hall), "SN-0000001", Bare().fingerprint, "", AT)
    box = Box(tmp_path / "box", town)
    box.put_stick(claim(hall))
    enrolment = box.started()
    await enrolment.prepare()
    await steps(enrolment, 3)
    assert (enrolment.standing.said, ("claim_refused", "claim_used") in box.happened()) == ("waiting", True)
    rows = AuditRow.select().where((AuditRow.tenant == CITY) & (AuditRow.act == "turned_away"))
    assert [row.why for row in rows] == ["claim_used"]
