"""The fleet burns down and comes back from yesterday's backup: no terminal is refused, no command is done twice."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import peewee
import pyrage
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kiosk.basics.signed import NotTrusted, Signer, cosigned
from provisioning.fleet import audit, ca
from provisioning.fleet.actor import Actor, Refused
from provisioning.fleet.app import make_app
from provisioning.fleet.backup.archive import BackupRefused, read_backup, write_backup
from provisioning.fleet.backup.folders import Kept, folders_of
from provisioning.fleet.backup.tables import NotEmpty
from provisioning.fleet.city_key import city_keys, city_signer
from provisioning.fleet.database import open_database
from provisioning.fleet.enrolment.csr import subject_of
from provisioning.fleet.enrolment.stop import stop
from provisioning.fleet.epoch.acts import begin_reconciling, document, draft, end_reconciling, publish
from provisioning.fleet.epoch.memo import renew
from provisioning.fleet.identity import serial_hex
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.base import proxy
from provisioning.fleet.schema.enrolment import ClaimKey
from provisioning.fleet.schema.places import Place, Tenant
from provisioning.fleet.schema.terminals import Certificate, Terminal
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.terminal_commands.acts import Target, send
from provisioning.fleet.web import Fleet
from provisioning.rules.epoch import EPOCH_KIND, MEMO_KIND
from provisioning.terminal.disk import Disk
from provisioning.terminal.epoch import Remembers
from tests.fleet.client import Client
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.people import make_person
from tests.fleet.terminals import add_terminal

DAY_MS = 86_400_000
START_MS = 1_800_000_000_000
IDENTITY = pyrage.x25519.Identity.generate()
RECIPIENT = str(IDENTITY.to_public())
APPROVERS = {name: Ed25519PrivateKey.generate() for name in ("first", "second")}
KEYS = {name: key.public_key() for name, key in APPROVERS.items()}


@dataclass
class Carried:
    """A terminal as the fleet hears it: its certificate, what it did, and what it remembers."""

    terminal_id: str
    serial: str
    pem: str = ""
    done: list[str] = field(default_factory=list)
    memo: bytes = b""
    refused: int = 0


class Province:
    """A fleet with its clock, its people and its terminals; the database is the one that is open."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.at_ms = folder, START_MS
        self.settings = FleetSettings(home=str(folder / "home"), public=str(folder / "public"))
        (folder / "home").mkdir(parents=True)
        self.terminals: list[Carried] = []

    @property
    def home(self) -> Path:
        return Path(self.settings.home)

    def opens(self) -> None:
        """A server begins, or begins again."""
        self.app = make_app(Fleet(self.settings, now_ms=lambda: self.at_ms))
        self.client = Client(self.app)
        self.app.state.live.refresh(self.at_ms)

    def begins(self) -> Actor:
        for name, key in KEYS.items():
            raw = key.public_bytes_raw().hex()
            ClaimKey.create(name=name, tenant=CITY, public_key=raw, since_ms=0)
        ca.add(self.home, "first", self.now)
        self.opens()
        return make_person(CITY, "operator", "operator")

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at_ms / 1000, UTC)

    def enrols(self, number: int) -> Carried:
        """A terminal with a real certificate of the fleet's own authority."""
        terminal_id = f"T{number:07d}"
        key = ec.generate_private_key(ec.SECP256R1()).public_key()
        subject = subject_of(CITY, terminal_id, f"SN-{terminal_id}")
        made = ca.certificate_for(ca.issuing(self.home), subject, key, self.now, 365)
        pem = made.public_bytes(serialization.Encoding.PEM).decode()
        carried = Carried(terminal_id, serial_hex(made.serial_number), pem)
        add_terminal(terminal_id, CITY, carried.serial)
        self.terminals.append(carried)
        return carried

    def refresh(self) -> None:
        self.at_ms += 1000
        renew(CITY, city_signer(self.home, CITY), self.at_ms)
        self.app.state.live.flush()
        self.app.state.live.refresh(self.at_ms)

    def polls(self, one: Carried) -> int:
        """As the product's agent does: commands once, then their answers; memos fetched and brought."""
        base = f"/{CITY}/terminal/v1/{one.terminal_id}"
        told = {"memo": _number(one.memo), "epoch": 0}
        answer = self.client.post(f"{base}/poll", self._shown(one), told=told)
        if answer.status != 200:
            one.refused += 1
            return answer.status
        said = answer.json()
        if said.get("want_memo"):
            self.client.post(f"{base}/memo", self._shown(one), body=one.memo)
        if said.get("memo", 0) > _number(one.memo):
            one.memo = self.client.get(f"{base}/memo", self._shown(one)).body
        waiting = [command["document"]["command"] for command in said.get("commands", ())]
        one.done += [command for command in waiting if command not in one.done]
        if waiting:
            answers = [{"command": command, "result": "done"} for command in waiting]
            self.client.post(f"{base}/poll", self._shown(one), told={**told, "answers": answers})
        return 200

    def _shown(self, one: Carried) -> dict[str, str]:
        told = {"X-Face": "terminals", "X-Client-Verify": "SUCCESS", "X-Client-Serial": one.serial}
        return {**told, "X-Client-Cert": quote(one.pem)}

    def backup(self, name: str) -> Path:
        to = self.folder / name
        write_backup(to, {"home": Kept(self.home)}, [RECIPIENT], self.at_ms)
        return to


def _number(memo: bytes) -> int:
    return int(json.loads(memo)["document"]["version"]) if memo else 0


@contextmanager
def burnt(province: Province, database: peewee.Database, folder: Path) -> Iterator[Path]:
    """Everything of the fleet is gone; an empty one stands in its place, on SQLite."""
    database.close()
    new = folder / "new"
    opened = open_database(f"sqlite:///{new}/fleet.db")
    province.settings = FleetSettings(home=str(new / "home"), public=str(new / "public"))
    try:
        yield new
    finally:
        opened.close()
        database.connect()
        proxy.initialize(database)


def lives_a_lost_day(province: Province, operator: Actor, terminals: int) -> Path:
    """A backup, and after it: enrolments, a theft, commands that are done."""
    for number in range(terminals):
        province.enrols(number)
    province.refresh()
    for one in province.terminals[:5]:
        assert province.polls(one) == 200
    for one in province.terminals[:3]:
        send(operator, Target(terminal_id=one.terminal_id), "restart", {}, "before the backup", province.at_ms)
    backup = province.backup("yesterday.age")
    province.at_ms += DAY_MS // 2
    province.enrols(terminals)
    stop(operator, province.terminals[3].terminal_id, "stolen", province.at_ms)
    province.refresh()
    for one in (*province.terminals[:3], *province.terminals[4:]):
        assert province.polls(one) == 200
    assert [len(one.done) for one in province.terminals[:3]] == [1, 1, 1]
    assert province.polls(province.terminals[3]) == 404
    return backup


@pytest.mark.parametrize("terminals", [12, pytest.param(1000, marks=pytest.mark.slow)])
def test_terminals_come_back_to_a_fleet_of_yesterday(database: peewee.Database, tmp_path: Path, terminals: int) -> None:
    """None is refused but the stolen one, nothing is done twice, and the trail says what was lost."""
    province = Province(tmp_path)
    backup = lives_a_lost_day(province, province.begins(), terminals)
    province.at_ms += DAY_MS // 2
    with burnt(province, database, tmp_path) as new:
        manifest = read_backup(backup, str(IDENTITY), {"home": Kept(new / "home")})
        begin_reconciling("person:operator", manifest.made_ms, province.at_ms)
        province.opens()
        thief = province.terminals.pop(3)
        for one in province.terminals:
            one.refused = 0
        for _ in range(2):
            for one in province.terminals:
                province.polls(one)
            province.refresh()
        assert sum(one.refused for one in province.terminals) == 0
        assert [len(one.done) for one in province.terminals[:3]] == [1, 1, 1], "no command is done twice"
        assert province.polls(thief) == 404, "a memo told that it was stopped"
        assert audit.verify(CITY).broken_at == 0
        heard = AuditRow.get((AuditRow.tenant == CITY) & (AuditRow.act == "memo_heard"))
        assert heard.facts["stopped"] == 1
        late = Terminal.get(Terminal.terminal_id == f"T{terminals:07d}")
        assert (late.state, late.serial) == ("active", f"SN-T{terminals:07d}")


def signed_by(wire: bytes, *names: str) -> bytes:
    for name in names:
        wire = cosigned(wire, Signer(name, APPROVERS[name]))
    return wire


def remembers(folder: Path, now: datetime) -> Remembers:
    home = folder / "home"
    return Remembers(folder, Disk(), CITY, KEYS, city_keys(home, CITY), lambda: now, lambda why: None)


def test_an_epoch_takes_two_approvers_at_both_ends(database: peewee.Database, tmp_path: Path) -> None:
    """Server and terminal refuse one signature, a stranger's, another city's, and the same epoch again."""
    province = Province(tmp_path)
    operator = province.begins()
    begin_reconciling("person:operator", START_MS, START_MS)
    unsigned = draft(operator, province.now)
    terminal = remembers(tmp_path, province.now)
    for wire in (unsigned, signed_by(unsigned, "first"), b"{}", signed_by(unsigned, "first", "second")[:-30]):
        with pytest.raises(Refused):
            publish(operator, wire, START_MS)
        with pytest.raises(NotTrusted):
            terminal.take_epoch(wire)
    whole = signed_by(unsigned, "first", "second")
    with pytest.raises(Refused):
        publish(Actor(OTHER, "person:operator"), whole, START_MS)
    assert publish(operator, whole, START_MS) == 1
    terminal.take_epoch(whole)
    assert terminal.epoch == 1
    with pytest.raises(Refused):
        publish(operator, whole, START_MS)
    with pytest.raises(NotTrusted, match="older"):
        terminal.take_epoch(whole)
    assert document(CITY, EPOCH_KIND) == whole


def test_an_epoch_that_expired_is_refused_and_one_in_force_stays(database: peewee.Database, tmp_path: Path) -> None:
    """A terminal that was off for three years does not begin a new one by an old paper; what it has, it keeps."""
    province = Province(tmp_path)
    operator = province.begins()
    whole = signed_by(draft(operator, province.now), "first", "second")
    late = remembers(tmp_path, province.now + timedelta(days=1000))
    with pytest.raises(NotTrusted, match="expired"):
        late.take_epoch(whole)
    remembers(tmp_path, province.now).take_epoch(whole)
    assert late.epoch == 1


def test_a_memo_of_another_hand_is_refused(database: peewee.Database, tmp_path: Path) -> None:
    """A terminal that makes one up, an older one, and one in quiet times change nothing."""
    province = Province(tmp_path)
    province.begins()
    one = province.enrols(1)
    province.refresh()
    province.polls(one)
    path, shown = f"/{CITY}/terminal/v1/{one.terminal_id}/memo", province._shown(one)
    forged = Signer(CITY, Ed25519PrivateKey.generate()).signed(MEMO_KIND, 99, province.now, province.now, {})
    assert province.client.post(path, shown, body=forged).status == 409
    assert province.client.post(path, shown, body=one.memo).json() == {"news": False}
    carrier = remembers(tmp_path, province.now)
    carrier.take_memo(one.memo)
    with pytest.raises(NotTrusted, match="older"):
        carrier.take_memo(one.memo)
    assert carrier.memo == 1


def test_a_certificate_of_before_the_backup_stays_unknown(database: peewee.Database, tmp_path: Path) -> None:
    """Only what was given after it can have been forgotten; and once people end it, nothing is known again."""
    province = Province(tmp_path)
    operator = province.begins()
    old, new = province.enrols(1), province.enrols(2)
    Certificate.delete().execute()
    begin_reconciling("person:operator", START_MS + 2 * DAY_MS, START_MS + 3 * DAY_MS)
    province.refresh()
    assert province.polls(old) == 404
    Tenant.update(restored_ms=START_MS).execute()
    assert province.polls(new) == 200
    end_reconciling(operator, "all were heard", province.at_ms)
    assert province.polls(old) == 404


def harmed(path: Path, harm: str) -> Path:
    content = path.read_bytes()
    other = path.with_name("harmed.age")
    middle = len(content) // 2
    other.write_bytes(
        {
            "cut": content[:middle],
            "end cut": content[:-1],
            "altered": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
            "nonsense": os.urandom(4096),
        }[harm]
    )
    return other


@pytest.mark.parametrize("harm", ["cut", "end cut", "altered", "nonsense"])
def test_a_harmed_backup_is_refused_whole(database: peewee.Database, tmp_path: Path, harm: str) -> None:
    """Neither a row nor a file of it is left."""
    province = Province(tmp_path)
    province.begins()
    backup = harmed(province.backup("b.age"), harm)
    with burnt(province, database, tmp_path) as new:
        with pytest.raises(BackupRefused):
            read_backup(backup, str(IDENTITY), {"home": Kept(new / "home")})
        assert Tenant.select().count() == 0
        assert [path for path in (new / "home").rglob("*") if path.is_file()] == []


def test_a_backup_opens_only_for_its_recipients_and_into_an_empty_fleet(
    database: peewee.Database, tmp_path: Path
) -> None:
    """A stranger's identity, a fleet that is there, and a recipient that is none."""
    province = Province(tmp_path)
    province.begins()
    backup = province.backup("b.age")
    with pytest.raises(NotEmpty):
        read_backup(backup, str(IDENTITY), {"home": Kept(tmp_path / "x")})
    with burnt(province, database, tmp_path), pytest.raises(BackupRefused):
        read_backup(backup, str(pyrage.x25519.Identity.generate()), {"home": Kept(tmp_path / "x")})
    with pytest.raises(BackupRefused):
        write_backup(tmp_path / "c.age", {}, ["age1nonsense"], 0)
    assert not (tmp_path / "c.age").exists()


def test_everything_comes_back_and_numbers_go_on(database: peewee.Database, tmp_path: Path) -> None:
    """Rows and files are as they were, also in the other direction, and the next row has a number of its own."""
    province = Province(tmp_path)
    province.begins()
    province.enrols(1)
    child = Place.create(
        tenant=CITY, parent=Place.get(Place.tenant == CITY), kind="hall", name_zh="厅", name_en="h", path="/x/"
    )
    city_signer(province.home, CITY)  # makes the city's key
    before = {row.terminal_id: row.serial for row in Terminal.select()}
    backup = province.backup("b.age")
    with burnt(province, database, tmp_path) as new:
        read_backup(backup, str(IDENTITY), {"home": Kept(new / "home")})
        assert {row.terminal_id: row.serial for row in Terminal.select()} == before
        assert Place.get_by_id(child.id).parent.tenant_id == CITY
        assert add_terminal("T9999999", CITY).id > 1
        assert isinstance(city_keys(new / "home", CITY)[CITY], Ed25519PublicKey)
    kept = (tmp_path / "home" / "city-keys" / f"{CITY}.pem").read_bytes()
    assert (tmp_path / "new" / "home" / "city-keys" / f"{CITY}.pem").read_bytes() == kept


def test_without_artifacts_the_list_of_versions_stays(tmp_path: Path) -> None:
    """What can be published again is left out; the metadata, which must never go back, is not."""
    settings = FleetSettings(home=str(tmp_path / "home"), public=str(tmp_path / "public"))
    for name in ("tuf/timestamp.json", "tuf/targets/ab.app", "artifacts/cd", "tuf/2.root.json"):
        path = tmp_path / "public" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    kept = folders_of(settings, artifacts=False)["public"]
    assert [path.name for path in kept.files()] == ["2.root.json", "timestamp.json"]
    assert len(list(folders_of(settings)["public"].files())) == 4
