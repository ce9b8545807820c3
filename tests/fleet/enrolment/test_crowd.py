"""Ten thousand keys of strangers: the honest one is heard, kept and confirmed."""

from collections.abc import Callable

import pytest

from provisioning.fleet.database import step
from provisioning.fleet.enrolment.crowd import FORGOTTEN_MS, GOING, WAITING_MAX, network_of
from provisioning.fleet.enrolment.requests import asked_by, confirm
from provisioning.fleet.schema.enrolment import EnrolmentRequest
from tests.fleet.enrolment.asking import AT, Bare, Desk
from tests.fleet.enrolment.conftest import INSTALLER

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
CROWDS: dict[str, Callable[[int], str]] = {
    "one address": lambda number: "198.51.100.9",
    "one line's addresses": lambda number: f"2001:db8:7:7::{number:x}",
    "an address each": lambda number: f"10.{number >> 8}.{number & 255}.9",
}


def crowd(address: Callable[[int], str], count: int = WAITING_MAX, began_ms: int = AT) -> None:
    """Keys that asked once each, one a millisecond."""
    rows = [
        {"fingerprint": f"{number:064x}", "serial": f"SN-{number:07}", "address": address(number),
         "first_ms": began_ms + number, "last_ms": began_ms + number}
        for number in range(count)
    ]  # fmt: skip
    for first in range(0, count, 1000):
        EnrolmentRequest.insert_many(rows[first : first + 1000]).execute()


@on_sqlite
@pytest.mark.parametrize("whose", CROWDS)
def test_a_crowd_keeps_no_honest_installer_out(desk: Desk, hall: int, whose: str) -> None:
    """Whatever addresses the crowd has: who asks is heard, stays while the crowd goes on, and becomes a terminal."""
    crowd(CROWDS[whose])
    honest = Bare("SN-HONEST")
    desk.at_ms = AT + WAITING_MAX
    assert desk.enrol(honest).status == 202
    for number in range(4 * GOING):
        desk.at_ms += 10
        if number % GOING == 0:
            assert desk.enrol(honest).status == 202  # as it does every few seconds
        with step():
            asked_by(f"f{number:063x}", "SN-X", CROWDS[whose](number), desk.at_ms)
    assert EnrolmentRequest.select().count() <= WAITING_MAX
    confirm(INSTALLER, honest.fingerprint, "T0000001", hall, desk.at_ms)
    assert desk.enrol(honest).status == 200


@on_sqlite
def test_the_list_stays_within_its_bound(desk: Desk) -> None:
    """Full is full: each newcomer makes its own room, and the oldest of the crowd go first."""
    crowd(CROWDS["one address"])
    desk.at_ms = AT + WAITING_MAX
    assert desk.enrol(Bare("SN-NEW")).status == 202
    waiting = EnrolmentRequest.select().count()
    assert waiting == WAITING_MAX - GOING + 1
    gone = {f"{number:064x}" for number in range(GOING)}
    assert not EnrolmentRequest.select().where(EnrolmentRequest.fingerprint.in_(gone)).exists()


@on_sqlite
def test_a_modest_address_keeps_its_old_keys(desk: Desk) -> None:
    """A hall with five boxes that wait for a week is no crowd, though their keys are the oldest of all."""
    crowd(lambda number: "192.0.2.1" if number < 5 else "198.51.100.9")
    desk.at_ms = AT + WAITING_MAX
    desk.enrol(Bare("SN-NEW"))
    assert EnrolmentRequest.select().where(EnrolmentRequest.address == "192.0.2.1").count() == 5


@on_sqlite
def test_what_is_asked_no_more_goes_first(desk: Desk) -> None:
    """Forgotten for a week, wherever it came from."""
    crowd(CROWDS["an address each"], began_ms=AT - FORGOTTEN_MS - WAITING_MAX - 1)
    assert desk.enrol(Bare("SN-NEW")).status == 202
    assert EnrolmentRequest.select().count() == 1


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.9", "198.51.100.9"),
        ("2001:db8:7:7:1:2:3:4", "2001:db8:7:7::/64"),
        ("::ffff:198.51.100.9", "198.51.100.9"),
        ("", ""),
        ("unknown", "unknown"),
    ],
)
def test_whose_addresses_are_one_lines(address: str, network: str) -> None:
    """An IPv6 line has more addresses than anybody can count, and is one line."""
    assert network_of(address) == network
