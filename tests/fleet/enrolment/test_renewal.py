"""Certificates are renewed in time; late, once, by two people's consent; and an authority follows another."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisioning.fleet import ca, proposals
from provisioning.fleet.actor import NotFound, Refused
from provisioning.fleet.enrolment import late
from provisioning.fleet.enrolment.requests import confirm
from provisioning.fleet.enrolment.roll_over import retire
from provisioning.fleet.enrolment.stop import stop
from provisioning.fleet.schema.terminals import Certificate, Terminal
from provisioning.terminal.disk import Disk
from provisioning.terminal.enrolment.enrol import Address
from provisioning.terminal.enrolment.identity import Identity, Known
from provisioning.terminal.enrolment.renew import AWAY_MAX, Renewal
from provisioning.terminal.enrolment.standing import Record
from tests.fleet.conftest import CITY
from tests.fleet.enrolment.asking import AT, DAY_MS, Bare, Desk
from tests.fleet.enrolment.conftest import ADMINISTRATOR, APPROVER, INSTALLER, STRANGER
from tests.fleet.enrolment.lines import Town, clock_of

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
YEAR_MS = 365 * DAY_MS


def enrolled(desk: Desk, hall: int, number: int = 7) -> Bare:
    bare = Bare(f"SN-{number:07d}")
    desk.enrol(bare)
    confirm(INSTALLER, bare.fingerprint, f"T{number:07d}", hall, desk.at_ms)
    assert desk.enrol(bare).status == 200
    return bare


def polls(desk: Desk, bare: Bare, number: int = 7) -> int:
    desk.live_refresh()
    return desk.client.post(f"/{CITY}/terminal/v1/T{number:07d}/poll", desk.known_as(bare), told={}).status


def told_to_renew(desk: Desk, bare: Bare, number: int = 7) -> bool:
    desk.live_refresh()
    answer = desk.client.post(f"/{CITY}/terminal/v1/T{number:07d}/poll", desk.known_as(bare), told={})
    return bool(answer.json().get("renew_certificate", False))


def agree(terminal_id: str, at_ms: int) -> None:
    proposals.approve(APPROVER, late.propose(INSTALLER, terminal_id, "the village was snowed in", at_ms), at_ms)


def test_a_poll_tells_when_to_renew(desk: Desk, hall: int) -> None:
    """Not before two thirds of its life; then the same key has a second certificate, and both hold."""
    bare = enrolled(desk, hall)
    old = bare.certificate
    assert not told_to_renew(desk, bare)
    desk.at_ms += YEAR_MS * 2 // 3
    assert told_to_renew(desk, bare)
    assert desk.renew(bare).status == 200
    assert bare.certificate != old
    assert Certificate.select().where(Certificate.fingerprint == bare.fingerprint).count() == 2
    assert (polls(desk, bare), told_to_renew(desk, bare)) == (200, False)


def test_off_for_400_days_comes_back_by_two_people(desk: Desk, hall: int) -> None:
    """Its certificate has expired: it waits, an operator says why it was dark, an approver agrees, it renews once."""
    bare = enrolled(desk, hall)
    desk.at_ms += 400 * DAY_MS
    answer = desk.renew(bare)
    assert (answer.status, answer.headers["retry-after"]) == (202, "300")
    assert [row.terminal.terminal_id for row in late.waiting(INSTALLER)] == ["T0000007"]
    agree("T0000007", desk.at_ms)
    assert desk.renew(bare).status == 200
    assert (polls(desk, bare), [*late.waiting(INSTALLER)]) == (200, [])


def test_a_second_late_renewal_is_refused(desk: Desk, hall: int) -> None:
    """A key that is not looked after ends: the terminal is enrolled anew."""
    bare = enrolled(desk, hall)
    for expected in (200, 403):
        desk.at_ms += 400 * DAY_MS
        desk.renew(bare)
        if expected == 200:
            agree("T0000007", desk.at_ms)
        assert desk.renew(bare).status == expected
    assert desk.renew(bare).json()["code"] == "late_before"


def test_a_late_renewal_without_consent_is_refused_to_a_stopped_terminal(desk: Desk, hall: int) -> None:
    """Meanwhile it was reported stolen: neither is it renewed, nor can anybody agree any more."""
    bare = enrolled(desk, hall)
    desk.at_ms += 400 * DAY_MS
    desk.renew(bare)
    proposal = late.propose(INSTALLER, "T0000007", "snow", desk.at_ms)
    stop(INSTALLER, "T0000007", "stolen from the hall", desk.at_ms)
    with pytest.raises(Refused, match="stopped"):
        proposals.approve(APPROVER, proposal, desk.at_ms)
    assert desk.renew(bare).json()["code"] == "revoked"


def test_whoever_proposes_a_late_renewal_does_not_agree_to_it(desk: Desk, hall: int) -> None:
    """Nor does another city's approver; who is another city's is not found there."""
    bare = enrolled(desk, hall)
    desk.at_ms += 400 * DAY_MS
    desk.renew(bare)
    with pytest.raises(NotFound):
        late.propose(STRANGER, "T0000007", "curious", desk.at_ms)
    proposal = late.propose(INSTALLER, "T0000007", "snow", desk.at_ms)
    for actor, error in ((INSTALLER, Refused), (STRANGER, NotFound)):
        with pytest.raises(error):
            proposals.approve(actor, proposal, desk.at_ms)
    assert desk.renew(bare).status == 202


def test_a_stopped_terminal_is_refused_at_its_next_question(desk: Desk, hall: int) -> None:
    """Poll, welcome and renewal; and the same key never comes back."""
    bare = enrolled(desk, hall)
    assert polls(desk, bare) == 200
    stop(INSTALLER, "T0000007", "stolen from the hall", desk.at_ms)
    assert polls(desk, bare) == 404
    assert [
        desk.renew(bare).json()["code"],
        desk.enrol(bare, body=Bare.request(Bare(bare.serial, bare.key))).json()["code"],
    ] == ["revoked", "refused"]


def test_an_authority_follows_another_with_one_in_twenty_dark(desk: Desk, hall: int) -> None:
    """Forty terminals, two of them dark: the rest renews under the new authority when told, then the old one is
    dropped, and who was dark comes back by its own key."""
    population = [enrolled(desk, hall, number) for number in range(40)]
    dark, awake = population[:2], population[2:]
    ca.add(desk.home, "fleet-2", datetime.fromtimestamp(desk.at_ms / 1000, UTC))
    retire(ADMINISTRATOR, desk.home, "fleet-1", desk.at_ms)
    days = 0
    while (old := [bare for bare in awake if _issuer(bare) == "fleet-1"]) and days < 30:
        days += 2
        desk.at_ms += 2 * DAY_MS
        for bare in old:
            if told_to_renew(desk, bare, int(bare.serial[3:])):
                assert desk.renew(bare).status == 200
    assert (old, days > 8) == ([], True)  # not all on one day
    ca.drop(desk.home, "fleet-1")
    town = Town(desk)
    for bare in dark:
        assert desk.renew(bare).status == 200
        assert (_issuer(bare), polls(desk, bare, int(bare.serial[3:]))) == ("fleet-2", 200)
    assert [one.name for one in ca.authorities(town.desk.home)] == ["fleet-2"]


def _issuer(bare: Bare) -> str:
    assert bare.certificate is not None
    return bare.certificate.issuer.rfc4514_string().rpartition(" ")[2]


async def test_a_terminal_that_nobody_knows_any_more_renews_by_its_key(desk: Desk, hall: int, tmp_path: Path) -> None:
    """Its authority was dropped while it was dark: three polls go unanswered, then it asks over its own signature."""
    identity = Identity(tmp_path / "identity", Disk(), "SN-0000001")
    identity.make_ready()
    town = Town(desk)
    renewal = Renewal(
        identity,
        town.opener(identity),
        lambda: Address("https://fleet.example", ""),
        clock_of(desk),
        Record(identity.folder, Disk(), clock_of(desk)),
        lambda event, **fields: None,
    )
    known = await _first(desk, identity, hall, town)
    ca.add(desk.home, "fleet-2", datetime.fromtimestamp(AT / 1000, UTC))
    ca.retire(desk.home, "fleet-1")
    ca.drop(desk.home, "fleet-1")
    assert await renewal.look(known, told=False) == "good"
    assert await renewal.look(known, told=False, away=AWAY_MAX) == "renewed"
    assert [row.what for row in renewal.record.rows()] == ["certificate_renewed"]
    assert Terminal.get().state == "active"


async def _first(desk: Desk, identity: Identity, hall: int, town: Town) -> Known:
    from provisioning.terminal.enrolment.est import ENROL, ask_certificate

    line = town.opener(identity)(Address("", ""), None)
    assert await ask_certificate(line, ENROL, identity.request()) == 5
    confirm(INSTALLER, identity.fingerprint, "T0000007", hall, AT)
    given = await ask_certificate(line, ENROL, identity.request())
    assert not isinstance(given, float)
    return identity.keep(given)
