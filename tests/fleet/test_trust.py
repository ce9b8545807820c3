"""Keys of a city and its approvers change, and every terminal follows: by two people, list by list."""

from datetime import UTC, datetime
from pathlib import Path

import peewee
import pytest
import trio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.basics.signed import NotTrusted, Signer, cosigned
from provisioning.fleet.actor import Actor, Refused
from provisioning.fleet.app import make_app
from provisioning.fleet.city_key import city_signer
from provisioning.fleet.enrolment import claims
from provisioning.fleet.epoch import acts as epoch
from provisioning.fleet.epoch.acts import document
from provisioning.fleet.epoch.memo import renew
from provisioning.fleet.schema.enrolment import ClaimKey
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.trust.acts import draft, publish
from provisioning.fleet.trust.lists import newest, trusted_now, wire_of
from provisioning.fleet.web import Fleet
from provisioning.rules.enrolment import Welcome
from provisioning.rules.epoch import MEMO_KIND, read_memo
from provisioning.rules.poll import PollAnswer
from provisioning.rules.trust import public_keys
from provisioning.terminal.disk import Disk
from provisioning.terminal.trust import Believed
from tests.fleet.client import Client
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.terminals import add_terminal

AT_MS = 1_800_000_000_000
NOW = datetime.fromtimestamp(AT_MS / 1000, UTC)
PEOPLE = {name: Ed25519PrivateKey.generate() for name in ("an", "bai", "chen", "ding")}
BY = Actor(CITY, "person:an")
SHOWN = {"X-Face": "terminals", "X-Client-Verify": "SUCCESS", "X-Client-Serial": "01"}


class Office:
    """A fleet with two approvers and one terminal, and its application."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.appoint("an", "bai")
        add_terminal("T0000001", CITY, "01")
        self.app = make_app(Fleet(FleetSettings(home=str(home), public=str(home / "public")), now_ms=lambda: AT_MS))
        self.client = Client(self.app)

    def appoint(self, *names: str) -> None:
        for name in names:
            key = PEOPLE[name].public_key().public_bytes_raw().hex()
            ClaimKey.create(name=name, tenant=CITY, public_key=key, since_ms=0)

    def leaves(self, name: str) -> None:
        ClaimKey.update(retired_ms=AT_MS).where(ClaimKey.name == name).execute()

    def signed(self, wire: bytes, *names: str) -> bytes:
        for name in names:
            wire = cosigned(wire, Signer(name, PEOPLE[name]))
        return wire

    def publishes(self, *names: str, new_key: bool = False, drop: tuple[str, ...] = ()) -> int:
        return publish(BY, self.home, self.signed(draft(BY, self.home, NOW, new_key, drop), *names), AT_MS)

    def welcome(self) -> Welcome:
        now = trusted_now(self.home, CITY)
        keys, people = dict(now.keys), dict(now.approvers)
        return Welcome(tenant=CITY, terminal_id="T0000001", serial="S", keys=keys, approvers=people, trust=newest(CITY))

    def polls(self) -> int:
        """The number that the terminal is told."""
        self.app.state.live.refresh(AT_MS)
        said = self.client.post(f"/{CITY}/terminal/v1/T0000001/poll", SHOWN, told={})
        assert said.status == 200
        return int(said.json()["trust"])

    async def fetch(self, path: str, *, bytes_max: int) -> bytes:
        """The one verb of ``HostLink`` that lists need."""
        answer = await trio.to_thread.run_sync(self.client.get, path, SHOWN)
        assert (answer.status, len(answer.body) <= bytes_max) == (200, True), path
        return answer.body


@pytest.fixture
def office(database: peewee.Database, tmp_path: Path) -> Office:
    return Office(tmp_path / "home")


def believed(office: Office, folder: Path, welcome: Welcome) -> Believed:
    return Believed.since(welcome, folder / "trust", Disk(), lambda why: None)


def walks(terminal: Believed, office: Office, number: int) -> None:
    """It was told of this list."""
    trio.run(terminal.follow, PollAnswer(time="", sleep_s=1.0, trust=number), office, f"/{CITY}/terminal/v1/T0000001")


def test_a_dark_terminal_walks_every_list(office: Office, tmp_path: Path) -> None:
    """Both people of its enrolment left while it was dark; it believes those who followed, and the newest key only."""
    terminal = believed(office, tmp_path, office.welcome())
    office.appoint("chen")
    office.publishes("an", "bai", new_key=True)
    office.leaves("an")
    office.appoint("ding")
    office.publishes("bai", "chen")
    office.leaves("bai")
    assert office.publishes("chen", "ding", new_key=True, drop=(CITY, f"{CITY}.1")) == 3
    assert office.polls() == 3
    walks(terminal, office, 3)
    assert (terminal.number, sorted(terminal.approvers), sorted(terminal.keys)) == (3, ["chen", "ding"], [f"{CITY}.3"])
    signer = city_signer(office.home, CITY)
    assert (signer.name, terminal.keys[signer.name]) == (f"{CITY}.3", signer.key.public_key())
    again = believed(office, tmp_path, Welcome(tenant=CITY, terminal_id="T0000001", serial="S"))
    assert again.number == 0, "another enrolment believes none of them"


def test_what_was_taken_holds_at_the_next_start(office: Office, tmp_path: Path) -> None:
    """The lists on its disk are judged again from its enrolment on; a changed one ends the walk."""
    welcome = office.welcome()
    for number in (1, 2):
        office.publishes("an", "bai", new_key=True)
        believed(office, tmp_path, welcome).take(wire_of(CITY, number) or b"")
    assert believed(office, tmp_path, welcome).number == 2
    second = tmp_path / "trust" / "2.json"
    second.write_bytes(second.read_bytes().replace(b'"signs":"', b'"signs":"x', 1))
    terminal = believed(office, tmp_path, welcome)
    assert terminal.number == 1
    walks(terminal, office, 2)
    assert believed(office, tmp_path, welcome).number == 2


def test_both_ends_refuse_what_two_did_not_sign(office: Office, tmp_path: Path) -> None:
    """One signature, a stranger's, one of somebody who left, another city's, and a list out of its turn."""
    terminal = believed(office, tmp_path, office.welcome())
    office.appoint("chen")
    wire = draft(BY, office.home, NOW)
    stranger = cosigned(office.signed(wire, "an"), Signer("bai", Ed25519PrivateKey.generate()))
    for bad in (wire, office.signed(wire, "an"), office.signed(wire, "an", "chen")[:-9], stranger, b"{}"):
        with pytest.raises(Refused):
            publish(BY, office.home, bad, AT_MS)
        with pytest.raises(NotTrusted):
            terminal.take(bad)
    whole = office.signed(wire, "an", "bai")
    with pytest.raises(Refused, match="unknown key"):
        publish(Actor(OTHER, "person:an"), office.home, whole, AT_MS)
    office.leaves("chen")
    with pytest.raises(Refused, match="no approver any more"):
        publish(BY, office.home, whole, AT_MS)
    office.leaves("bai")
    with pytest.raises(Refused):
        office.publishes("an", "bai")
    assert (newest(CITY), terminal.number) == (0, 0)


def test_a_list_is_published_once(office: Office) -> None:
    """The same file again is not the next one."""
    wire = office.signed(draft(BY, office.home, NOW), "an", "bai")
    assert publish(BY, office.home, wire, AT_MS) == 1
    with pytest.raises(Refused, match="older"):
        publish(BY, office.home, wire, AT_MS)


def test_nobody_is_left_without_a_key(office: Office) -> None:
    """The key that signs is not dropped unless another one is made, and one person alone is no list."""
    with pytest.raises(Refused, match="new-key"):
        draft(BY, office.home, NOW, drop=(CITY,))
    assert office.publishes("an", "bai", new_key=True, drop=(CITY,)) == 1
    office.leaves("bai")
    with pytest.raises(Refused, match="two people"):
        draft(BY, office.home, NOW)


def test_a_key_that_the_fleet_does_not_hold_is_not_named(office: Office) -> None:
    """A list drawn up at another machine would have terminals believe settings that nobody here can sign."""
    wire = office.signed(draft(BY, office.home, NOW, new_key=True), "an", "bai")
    (office.home / "city-keys" / f"{CITY}.1.pem").write_bytes(
        Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    with pytest.raises(Refused, match="does not hold"):
        publish(BY, office.home, wire, AT_MS)


def test_who_enrols_later_begins_at_the_newest_list(office: Office, tmp_path: Path) -> None:
    """It needs none of the lists before; an approver who was added since waits for the next one."""
    office.publishes("an", "bai", new_key=True)
    office.appoint("chen")
    terminal = believed(office, tmp_path, office.welcome())
    assert (terminal.number, sorted(terminal.approvers)) == (1, ["an", "bai"])
    told = office.client.get(f"/{CITY}/terminal/v1/T0000001/welcome", SHOWN).json()
    assert (told["trust"], sorted(told["keys"])) == (1, [CITY, f"{CITY}.1"])
    office.publishes("an", "bai")
    terminal.take(wire_of(CITY, 2) or b"")
    assert sorted(terminal.approvers) == ["an", "bai", "chen"]


def test_an_epoch_is_opened_by_those_whom_terminals_believe(office: Office) -> None:
    """Somebody who was made an approver after the last list signs nothing that terminals would take."""
    office.publishes("an", "bai")
    office.appoint("chen")
    wire = epoch.draft(BY, NOW)
    with pytest.raises(Refused):
        epoch.publish(BY, office.signed(wire, "an", "chen"), AT_MS)
    assert epoch.publish(BY, office.signed(wire, "an", "bai"), AT_MS) == 1


def test_memos_follow_the_key(office: Office) -> None:
    """The next memo is made at once by the new key, which is the one that terminals believe."""
    assert renew(CITY, city_signer(office.home, CITY), AT_MS)
    assert not renew(CITY, city_signer(office.home, CITY), AT_MS + 1)
    office.publishes("an", "bai", new_key=True, drop=(CITY,))
    assert renew(CITY, city_signer(office.home, CITY), AT_MS + 2)
    read_memo(document(CITY, MEMO_KIND) or b"", public_keys(trusted_now(office.home, CITY).keys), CITY)
    assert [one.name for one in claims.keys(CITY)] == ["an", "bai"]


def test_a_list_is_for_terminals_of_its_city(office: Office) -> None:
    """Another number is 404."""
    office.publishes("an", "bai")
    assert office.client.get(f"/{CITY}/terminal/v1/T0000001/trust/1", SHOWN).status == 200
    assert office.client.get(f"/{CITY}/terminal/v1/T0000001/trust/2", SHOWN).status == 404
