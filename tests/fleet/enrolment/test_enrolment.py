"""A bare terminal asks, somebody confirms it, and it has a certificate."""

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from provisioning.fleet import audit, ca
from provisioning.fleet.actor import NotFound
from provisioning.fleet.enrolment.requests import confirm, find, waiting
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.places import PROVINCE
from provisioning.fleet.schema.terminals import Certificate, Terminal
from provisioning.rules.network import Network, Static
from tests.fleet.conftest import CITY
from tests.fleet.enrolment.asking import AT, EST, Bare, Desk, given
from tests.fleet.enrolment.conftest import INSTALLER, PROVINCIAL, STRANGER


def test_a_confirmed_terminal_gets_its_certificate(desk: Desk, hall: int) -> None:
    """Nobody said anything: wait. Confirmed by its fingerprint: a certificate with city, number and serial number."""
    bare = Bare()
    assert (desk.enrol(bare).status, desk.enrol(bare).headers["retry-after"]) == (202, "5")
    confirm(INSTALLER, bare.fingerprint, "T0000007", hall, AT)
    certificate = given(desk.enrol(bare))
    certificate.verify_directly_issued_by(ca.issuing(desk.home).certificate)
    told = {one.oid: one.value for one in certificate.subject}
    assert told == {
        NameOID.ORGANIZATION_NAME: CITY,
        NameOID.COMMON_NAME: "T0000007",
        NameOID.SERIAL_NUMBER: "SN-0000001",
    }
    terminal = Terminal.get(Terminal.terminal_id == "T0000007")
    assert (terminal.state, terminal.tenant_id, terminal.place_id) == ("active", CITY, hall)
    assert [row.act for row in AuditRow.select().order_by(AuditRow.seq)] == ["enrolment_confirm", "certificate_issue"]
    assert audit.verify(CITY).broken_at == 0


def test_an_answer_that_was_lost_is_given_again(desk: Desk, hall: int) -> None:
    """The power was cut before the certificate was kept: the same one again, not a second."""
    bare = Bare()
    desk.enrol(bare)
    confirm(INSTALLER, bare.fingerprint, "T0000007", hall, AT)
    assert given(desk.enrol(bare)) == given(desk.enrol(Bare(key=bare.key)))
    assert Certificate.select().count() == 1


def test_who_reads_the_glass_finds_it_and_nobody_else_sees_it(desk: Desk) -> None:
    """A serial number that no city knows is listed for the province alone; the whole fingerprint opens it."""
    bare = Bare()
    desk.enrol(bare)
    assert [*waiting(INSTALLER)] == []
    assert [row.serial for row in waiting(PROVINCIAL)] == ["SN-0000001"]
    assert find(INSTALLER, bare.fingerprint).serial == "SN-0000001"
    with pytest.raises(NotFound):
        find(INSTALLER, Bare().fingerprint)


def test_the_terminal_is_told_city_keys_and_network(desk: Desk, hall: int) -> None:
    """What was said at the confirmation comes with the welcome, and which keys to believe from now on."""
    bare = Bare()
    desk.enrol(bare)
    network = Network(static=Static(address="10.1.2.3/24", gateway="10.1.2.1"), vlan=7)
    confirm(INSTALLER, bare.fingerprint, "T0000007", hall, AT, profile="village", network=network)
    desk.enrol(bare)
    told = desk.client.get(f"/{CITY}/terminal/v1/T0000007/welcome", desk.known_as(bare)).json()
    assert told["network"] == {"static": {"address": "10.1.2.3/24", "gateway": "10.1.2.1"}, "vlan": 7}
    assert (told["tenant"], told["profile"], [*told["keys"]]) == (CITY, "village", [CITY])


def test_a_new_key_of_a_known_terminal_ends_the_old_one(desk: Desk, hall: int) -> None:
    """The board was exchanged: somebody confirms its key, and from the issue on the old certificate opens nothing."""
    old, new = Bare(), Bare()
    for bare in (old, new):
        desk.enrol(bare)
        confirm(INSTALLER, bare.fingerprint, "T0000007", hall, AT)
        given(desk.enrol(bare))
    path = f"/{CITY}/terminal/v1/T0000007/welcome"
    assert [desk.client.get(path, desk.known_as(bare)).status for bare in (old, new)] == [404, 200]
    assert Terminal.select().count() == 1
    assert desk.renew(old).json()["code"] == "revoked"


def test_authorities_and_time_are_told_to_whoever_asks(desk: Desk) -> None:
    """RFC 7030, 4.1: cacerts needs no certificate; nor does the time."""
    answer = desk.client.get(f"{EST}/cacerts", {"X-Face": "terminals"})
    assert given(answer) == ca.authorities(desk.home)[0].certificate
    assert desk.client.get("/enrolment/v1/time", {"X-Face": "terminals"}).json()["time"].startswith("2027-01-15T08:00")


def test_the_people_face_has_no_est(desk: Desk) -> None:
    """Certificates are asked for where terminals come in."""
    bare = Bare()
    assert desk.client.post(f"{EST}/simpleenroll", bare.shown() | {"X-Face": "people"}, body=b"").status == 404


def test_a_foreign_city_can_neither_see_nor_confirm_a_known_serial_refused(desk: Desk, hall: int) -> None:
    """The serial number is this city's: for another it is as if it were not there."""
    bare = Bare()
    desk.enrol(bare)
    confirm(INSTALLER, bare.fingerprint, "T0000007", hall, AT)
    with pytest.raises(NotFound):
        confirm(STRANGER, bare.fingerprint, "T0000009", hall, AT)


def test_an_unreadable_certificate_shows_no_key(desk: Desk) -> None:
    """What nginx passes on and nobody can read proves nothing; it is on the province's record."""
    answer = desk.client.post(f"{EST}/simpleenroll", {"X-Face": "terminals", "X-Client-Cert": "no"}, body=b"AAAA")
    assert (answer.status, answer.json()["code"]) == (403, "no_key_shown")
    assert [row.why for row in AuditRow.select().where(AuditRow.tenant == PROVINCE)] == ["no_key_shown"]


def test_names_are_as_x509_writes_them() -> None:
    """The subject of a renewal is compared whole; the order of its parts is ours."""
    from provisioning.fleet.enrolment.csr import subject_of

    assert subject_of("c", "T1", "S").rfc4514_string() == "2.5.4.5=S,CN=T1,O=c"
    assert isinstance(subject_of("c", "T1", "S"), x509.Name)
