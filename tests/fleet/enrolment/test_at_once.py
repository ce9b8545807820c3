"""Two at the same moment, on both databases: a claim, an answer, a consent and an expected serial number count once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import peewee
import pytest

from provisioning.fleet.actor import Refused
from provisioning.fleet.enrolment import claims
from provisioning.fleet.enrolment.expected import Expected, preregister
from provisioning.fleet.enrolment.places import Seat
from provisioning.fleet.enrolment.requests import confirm, refuse
from provisioning.fleet.schema.terminals import Certificate, Terminal
from tests.fleet.enrolment.asking import AT, Bare, Desk
from tests.fleet.enrolment.box import ANN, BOB, claim
from tests.fleet.enrolment.conftest import ADMINISTRATOR, INSTALLER


@pytest.fixture
def at_once(database: peewee.Database) -> Callable[[list[Callable[[], Any]]], list[str]]:
    """Run all of them in threads of their own; "" or why each was refused, sorted."""

    def run(acts: list[Callable[[], Any]]) -> list[str]:
        def one(act: Callable[[], Any]) -> str:
            with database.connection_context():
                try:
                    act()
                except Refused as refused:
                    return refused.code
                return ""

        with ThreadPoolExecutor(len(acts)) as threads:
            return sorted(threads.map(one, acts))

    return run


def test_what_two_do_at_once_counts_once(desk: Desk, hall: int, at_once: Any) -> None:
    """One of two boxes has the claim; one of two people answered; one of two keys is the expected one."""
    for signer in (ANN, BOB):
        claims.add_key(ADMINISTRATOR, signer.name, signer.key.public_key().public_bytes_raw(), AT)
    wire = claim(hall)
    brings = [Bare() for _ in range(2)]
    told = at_once([lambda bare=bare: claims.bring(wire, bare.serial, bare.fingerprint, "", AT) for bare in brings])
    assert told == ["", "claim_used"]

    asked = Bare("SN-0000002")
    desk.enrol(asked)
    told = at_once(
        [
            lambda: confirm(INSTALLER, asked.fingerprint, "T0000002", hall, AT),
            lambda: refuse(INSTALLER, asked.fingerprint, "nobody ordered it", AT),
        ]
    )
    assert told == ["", "decided"]

    preregister(INSTALLER, [Expected(seat=Seat("SN-0000003", "T0000003", hall))], AT)
    first, second = Bare("SN-0000003"), Bare("SN-0000003")
    desk.enrol(first)
    desk.enrol(second)
    given = Certificate.select().join(Terminal).where(Terminal.serial == "SN-0000003")
    assert [row.fingerprint for row in given] == [first.fingerprint]
