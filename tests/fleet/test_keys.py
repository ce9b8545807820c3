"""Key blocks from two officers to a terminal, and the check value back."""

import json
from pathlib import Path
from typing import Any

import msgspec
import peewee
import pytest

from provisioning.fleet import audit, proposals
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.app import make_app
from provisioning.fleet.keys.acts import loads, propose_load, waiting, withdraw
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.keys import KeyLoad
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.proposals import Proposal
from provisioning.fleet.schema.terminals import Terminal
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.web import Fleet
from provisioning.rules.keys import GOOD_FOR_MS, KeyBlock, agrees
from tests.fleet.client import Client
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.people import hall_in, make_person
from tests.fleet.terminals import add_terminal, shown

START_MS = 1_800_000_000_000
BLOCK = KeyBlock(
    block_id="", terminal_id="T0000001", domain="social", form="master", slot=5, block="AB" * 16, check_value="AABBCC"
)


PEOPLE = {"k1": "key_officer", "k2": "key_officer", "b1": "bank_key_officer", "op": "operator"}
MALFORMED: list[Any] = [
    {}, {"result": "fine"}, {"result": "done", "check_value": "A" * 50}, [1], {"result": "done", "why": "x" * 300},
]  # fmt: skip
CHECK_VALUES = [
    ("AABBCC", "AABBCCDD", True), ("aabbccdd", "AABBCC", True), ("AABBCC", "AABBCD00", False), ("AABB", "AABB", False),
]  # fmt: skip


class Office:
    """A city with officers of both domains and one terminal; the clock stands."""

    def __init__(self, folder: Path) -> None:
        self.at_ms = START_MS
        settings = FleetSettings(home=str(folder), public=str(folder))
        self.client = Client(make_app(Fleet(settings, now_ms=lambda: self.at_ms)), shown("0A"))
        self.people = {
            name: make_person(CITY, name, role)
            for name, role in (
                ("k1", "key_officer"),
                ("k2", "key_officer"),
                ("b1", "bank_key_officer"),
                ("op", "operator"),
            )
        }
        add_terminal("T0000001", CITY, "0A")
        add_terminal("T0000002", CITY, "0B")

    def sends(self, block: KeyBlock = BLOCK) -> str:
        number = propose_load(self.people["k1"], [block], "yearly change", self.at_ms)
        proposals.approve(self.people["k2"], number, self.at_ms)
        row = KeyLoad.select().order_by(KeyLoad.created_ms.desc()).get()
        return str(row.block_id)

    def asks(self, block_id: str, certificate: str = "0A", terminal: str = "T0000001") -> Any:
        return self.client.get(f"/{CITY}/terminal/v1/{terminal}/key-blocks/{block_id}", shown(certificate))

    def answers(self, block_id: str, told: Any) -> int:
        return self.client.post(f"/{CITY}/terminal/v1/T0000001/key-blocks/{block_id}/answer", told=told).status


@pytest.fixture
def office(database: peewee.Database, tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_two_officers_of_one_domain_send_it(office: Office) -> None:
    """Not one alone, not the other domain's, not an operator; afterwards nobody here has the block any more."""
    for who in ("b1", "op"):
        with pytest.raises(Refused):
            propose_load(office.people[who], [BLOCK], "x", START_MS)
    number = propose_load(office.people["k1"], [BLOCK], "yearly change", START_MS)
    for who in ("k1", "b1", "op"):
        with pytest.raises(Refused):
            proposals.approve(office.people[who], number, START_MS)
    proposals.approve(office.people["k2"], number, START_MS)
    assert "ABAB" not in json.dumps(Proposal.get_by_id(number).facts)
    assert "ABAB" not in json.dumps([row.facts for row in AuditRow.select()])


def test_blocks_for_a_hall_that_is_not_the_officers_are_refused(office: Office) -> None:
    """Not behind a first block for the officer's own hall, and not for a terminal that was moved meanwhile."""
    city = Place.get(Place.tenant == CITY)
    halls = [hall_in(city) for _ in range(2)]
    for hall, terminal in zip(halls, ("T0000001", "T0000002"), strict=True):
        Terminal.update(place=hall).where(Terminal.terminal_id == terminal).execute()
    first, second = (make_person(CITY, name, "key_officer", place=halls[0].id) for name in ("h1", "h2"))
    both = [BLOCK, msgspec.structs.replace(BLOCK, terminal_id="T0000002")]
    with pytest.raises(Refused):
        propose_load(first, both, "yearly change", START_MS)
    number = propose_load(first, [BLOCK], "yearly change", START_MS)
    Terminal.update(place=halls[1]).where(Terminal.terminal_id == "T0000001").execute()
    with pytest.raises(Refused) as refused:
        proposals.approve(second, number, START_MS)
    assert refused.value.code == "moved"
    assert KeyLoad.select().count() == 0


def test_the_terminal_fetches_it_and_tells_the_check_value(office: Office) -> None:
    """It waits in the poll, is signed by the city, is answered once, and then is gone."""
    block_id = office.sends()
    terminal = Terminal.get(Terminal.terminal_id == "T0000001")
    assert waiting([terminal.id], START_MS) == {terminal.id: (block_id,)}
    assert office.asks(block_id).json()["document"]["block"] == "AB" * 16
    assert office.answers(block_id, {"result": "done", "check_value": "AABBCCDD"}) == 204
    assert office.answers(block_id, {"result": "failed"}) == 204
    (row,) = loads(office.people["k1"], "T0000001")
    assert (row.state, row.told_check_value) == ("done", "AABBCCDD")
    assert KeyLoad.get().block == ""
    assert waiting([terminal.id], START_MS) == {}
    assert office.asks(block_id).status == 404
    assert audit.verify(CITY).broken_at == 0


def test_another_terminals_block_is_refused(office: Office) -> None:
    """With its own certificate at its own path, and at the other's."""
    block_id = office.sends()
    assert office.asks(block_id, "0B", "T0000002").status == 404
    assert office.asks(block_id, "0B").status == 404


def test_an_expired_or_withdrawn_block_is_refused(office: Office) -> None:
    """Nobody loads a key a month later."""
    old, other = office.sends(), office.sends()
    for who in ("b1", "op"):
        with pytest.raises(Refused, match="not yours"):
            withdraw(office.people[who], other, "wrong pad", office.at_ms)
    withdraw(office.people["k1"], other, "wrong pad", office.at_ms)
    assert office.asks(other).status == 404
    office.at_ms += GOOD_FOR_MS
    assert office.asks(old).status == 404
    with pytest.raises(NotFound):
        withdraw(Actor(OTHER, "person:stranger"), old, "x", office.at_ms)


@pytest.mark.parametrize(
    "told",
    [{}, {"result": "fine"}, {"result": "done", "check_value": "A" * 50}, [1], {"result": "done", "why": "x" * 300}],
)
def test_an_answer_that_is_none_is_refused(office: Office, told: Any) -> None:
    """The block goes on waiting."""
    block_id = office.sends()
    assert office.answers(block_id, told) == 400
    assert KeyLoad.get().state == "waiting"


@pytest.mark.parametrize(("expected", "told", "same"), CHECK_VALUES)
def test_check_values_agree_by_the_shorter_one(expected: str, told: str, same: bool) -> None:
    """Pads cut them to four bytes, officers often to three; two are too few to say anything."""
    assert agrees(expected, told) is same
