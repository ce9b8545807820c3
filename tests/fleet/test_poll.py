"""Polls through the whole application, on both databases."""

import json
from pathlib import Path
from typing import Any

import peewee
import pytest
from starlette.applications import Starlette

from provisioning.fleet.app import make_app
from provisioning.fleet.chores import Chores
from provisioning.fleet.live.live import STALE_MS
from provisioning.fleet.live.poll import QUESTION_BYTES_MAX
from provisioning.fleet.pace import keep_pace
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.commands import Command
from provisioning.fleet.schema.places import Tenant
from provisioning.fleet.schema.terminals import Certificate, Terminal, TerminalEvent, TerminalHealth
from provisioning.fleet.settings import FleetSettings, Polls
from provisioning.fleet.touch import touch
from provisioning.fleet.web import Fleet
from tests.fleet.client import Answer, Client
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.terminals import add_terminal, shown

SERIAL, FOREIGN = "0A01", "0B01"
START_MS = 1_800_000_000_000
HEALTH: dict[str, Any] = {
    "at": "2027-01-15T08:00:00+08:00",
    "serving": True,
    "slots": {
        "card_reader": {"condition": "ready"},
        "receipt_printer": {"condition": "degraded", "reason": "paper_low"},
    },
    "money": {"unsent_count": 2, "unsent_fen": 12_345, "suspense_fen": 100},
    "machine": {"disk_free_bytes": 9_000_000_000},
    "use": {"sessions": 12},
    "versions": {"kiosk": "1.4.0"},
}


class House:
    """A fleet in memory, with a clock that only moves when it is told to."""

    def __init__(self, folder: Path, polls: Polls | None = None) -> None:
        self.at_ms = START_MS
        settings = FleetSettings(home=str(folder), public=str(folder), polls=polls or Polls())
        self.app: Starlette = make_app(Fleet(settings, now_ms=lambda: self.at_ms))
        self.client = Client(self.app)
        self.live = self.app.state.live
        self.live.refresh(self.at_ms)

    def poll(self, told: Any = None, serial: str = SERIAL, path: str = f"{CITY}/terminal/v1/T0000001") -> Answer:
        return self.client.post(f"/{path}/poll", shown(serial), told=told or {})

    def health(self, terminal_id: str = "T0000001") -> TerminalHealth:
        self.live.flush()
        row: TerminalHealth = TerminalHealth.get(TerminalHealth.terminal == Terminal.get(terminal_id=terminal_id))
        return row


@pytest.fixture
def house(database: peewee.Database, tmp_path: Path) -> House:
    add_terminal("T0000001", CITY, SERIAL)
    add_terminal("T9000001", OTHER, FOREIGN)
    return House(tmp_path)


def test_the_answer_says_what_is_wanted(house: House) -> None:
    """Time, sleep, epoch, settings and action come from the rows as they were read last."""
    Tenant.update(epoch=3).where(Tenant.code == CITY).execute()
    Terminal.update(desired_version=7, action="41", sleep_s=120).where(Terminal.terminal_id == "T0000001").execute()
    touch(Terminal.terminal_id == "T0000001", house.at_ms)
    house.live.refresh(house.at_ms)
    told = house.poll().json()
    assert told == {
        "time": "2027-01-15T08:00:00.000+00:00", "sleep_s": 120.0, "epoch": 3, "desired_version": 7, "action": "41",
    }  # fmt: skip


def test_the_settings_say_how_often(house: House) -> None:
    """A fleet that is started with another ``polls.sleep_s`` tells it to terminals of every city, those of before and
    those enrolled later, and then has nothing more to do."""
    assert house.poll().json()["sleep_s"] == 300.0
    assert keep_pace(60.0, house.at_ms) == 2 and keep_pace(60.0, house.at_ms) == 0
    house.live.refresh(house.at_ms)
    assert house.poll().json()["sleep_s"] == 60.0
    add_terminal("T0000002", CITY, "0A02")
    settings = FleetSettings(home="h", public="p", polls=Polls(sleep_s=60.0))
    chores = Chores(lambda: house.at_ms, settings)
    assert chores.do_once(next(one for one in chores.all() if one.name == "pace"))
    assert {row.sleep_s for row in Terminal.select()} == {60.0}


def test_no_question_goes_to_the_database(house: House, database: peewee.Database) -> None:
    """A poll is answered while the tables are gone: nothing on its way asks the database."""
    database.execute_sql("ALTER TABLE terminal RENAME TO terminal_gone")
    try:
        assert house.poll({"health": HEALTH}).status == 200
    finally:
        database.execute_sql("ALTER TABLE terminal_gone RENAME TO terminal")


def test_health_is_kept(house: House) -> None:
    """A report is stored whole, with the sums that lists and alerts ask for."""
    house.poll({"health": HEALTH, "desired_version": 4, "desired_trouble": "hosts: no answer"})
    row = house.health()
    assert row.report == HEALTH and (row.serving, row.version) == (True, "1.4.0")
    assert (row.unsent_count, row.unsent_fen, row.suspense_fen) == (2, 12_345, 100)
    assert (row.seen_ms, row.desired_version, row.desired_trouble) == (START_MS, 4, "hosts: no answer")


def test_a_poll_without_health_forgets_none(house: House) -> None:
    """Where nothing changed, only the moment moves, within one writing and across two."""
    house.poll({"health": HEALTH})
    house.at_ms += 100
    house.poll()
    assert house.health().report == HEALTH
    house.at_ms += 20_000
    house.poll({"desired_version": 9})
    row = house.health()
    assert (row.seen_ms, row.desired_version, row.report) == (START_MS + 20_100, 9, HEALTH)


def test_an_earlier_report_overwrites_no_later_one(house: House, tmp_path: Path) -> None:
    """Two processes write in whichever order: the later poll stays."""
    other = House(tmp_path)
    other.at_ms += 5_000
    other.poll({"desired_version": 2})
    house.poll({"desired_version": 1})
    assert other.health().desired_version == 2
    assert house.health().desired_version == 2


def test_changes_become_history(house: House) -> None:
    """A slot, a version, settings that came into force: one event each; the same report again is none."""
    house.poll({"health": HEALTH})
    house.live.flush()
    house.poll({"health": HEALTH})
    house.live.flush()
    out = {
        **HEALTH,
        "serving": False,
        "slots": {**HEALTH["slots"], "card_reader": {"condition": "fault", "reason": "no_answer"}},
    }
    house.poll({"health": {**out, "versions": {"kiosk": "1.5.0"}}, "desired_version": 5})
    house.live.flush()
    told = [(row.what, row.facts) for row in TerminalEvent.select().order_by(TerminalEvent.id)]
    assert told == [
        ("first_report", {}),
        ("settings", {"was": 0, "is": 5, "trouble": ""}),
        ("serving", {"is": False}),
        ("slot", {"slot": "card_reader", "was": "ready", "is": "fault", "reason": "no_answer"}),
        ("version", {"part": "kiosk", "was": "1.4.0", "is": "1.5.0"}),
    ]


def test_words_that_no_database_takes(house: House) -> None:
    """NUL, and numbers beyond a column, hold up nobody's writing."""
    odd = {**HEALTH, "versions": {"kiosk": "1\0" + "9" * 60}, "money": {"unsent_count": 2**50}}
    assert house.poll({"health": odd, "epoch": 2**40, "desired_trouble": "a\0b"}).status == 200
    row = house.health()
    assert (row.desired_trouble, row.epoch, row.unsent_count) == ("ab", 2**31 - 1, 2**31 - 1)


@pytest.mark.parametrize(
    ("serial", "path"),
    [
        (FOREIGN, f"{CITY}/terminal/v1/T0000001"),
        (SERIAL, f"{OTHER}/terminal/v1/T0000001"),
        (SERIAL, f"{OTHER}/terminal/v1/T9000001"),
        (SERIAL, f"{CITY}/terminal/v1/T0000009"),
        ("FFFF", f"{CITY}/terminal/v1/T0000001"),
    ],
)
def test_refused_polls_of_others(house: House, serial: str, path: str) -> None:
    """Another's path is refused like one that is nobody's, and stands on the trail of each city concerned."""
    answer = house.poll(serial=serial, path=path)
    assert (answer.status, answer.json()["code"]) == (404, "not_found")
    told = {row.tenant_id for row in AuditRow.select().where(AuditRow.act == "turned_away")}
    assert told == {CITY, OTHER} if OTHER in path or serial == FOREIGN else {CITY}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_database_that_is_away_is_asked_again_later(house: House, database: peewee.Database) -> None:
    """A terminal that only the database knows is told when to come back, on the poll and on every other path; one that
    is known from memory hears its answer all the same."""
    database.execute_sql("ALTER TABLE certificate RENAME TO elsewhere")
    assert house.poll().status == 200
    for answer in (house.poll(serial="0A77"), house.client.get(f"/{CITY}/terminal/v1/T0000001/desired", shown(SERIAL))):
        assert (answer.status, answer.json()["code"]) == (503, "later")
        assert int(answer.headers["retry-after"]) >= 30
    database.execute_sql("ALTER TABLE elsewhere RENAME TO certificate")
    assert house.poll(serial="0A77").status in (403, 404)


def test_refused_once_revoked(house: House) -> None:
    """A revocation that was told to the processes is in force at the next question."""
    assert house.poll().status == 200
    Certificate.update(revoked_ms=1).where(Certificate.serial == SERIAL).execute()
    touch(Terminal.terminal_id == "T0000001", house.at_ms)
    house.live.refresh(house.at_ms)
    assert house.poll().status == 404


def test_refused_without_the_terminals_face(house: House) -> None:
    """What comes in by people's port is no terminal, whatever headers it bears."""
    answer = house.client.post(f"/{CITY}/terminal/v1/T0000001/poll", shown(SERIAL, "people"), told={})
    assert answer.status == 404


def test_a_certificate_younger_than_our_memory(house: House) -> None:
    """A terminal that another process enrolled a moment ago is looked up, and known from then on."""
    add_terminal("T0000002", CITY, "0A02")
    answer = house.poll(serial="0A02", path=f"{CITY}/terminal/v1/T0000002")
    assert answer.status == 200 and "0A02" in house.live.register.by_certificate


def test_a_renewal_leaves_no_moment_between(house: House) -> None:
    """Both certificates open until the old one is revoked."""
    terminal = Terminal.get(terminal_id="T0000001")
    Certificate.create(serial="0A11", terminal=terminal, not_after_ms=START_MS + 1, pem="")
    touch(Terminal.id == terminal.id, house.at_ms)
    house.live.refresh(house.at_ms)
    assert (house.poll().status, house.poll(serial="0A11").json()["renew_certificate"]) == (200, True)
    Certificate.update(revoked_ms=1).where(Certificate.serial == SERIAL).execute()
    touch(Terminal.id == terminal.id, house.at_ms)
    house.live.refresh(house.at_ms)
    assert (house.poll().status, house.poll(serial="0A11").status) == (404, 200)


def test_touch_always_moves(house: House) -> None:
    """Two steps in one millisecond, and one under a clock that was set back, are two changes."""
    seen = []
    for at_ms in (START_MS, START_MS, START_MS - 5_000):
        assert touch(Terminal.terminal_id == "T0000001", at_ms) == 1
        seen.append(Terminal.get(terminal_id="T0000001").changed_ms)
    assert seen == sorted(set(seen))


def test_a_row_that_is_gone_is_forgotten(house: House) -> None:
    """Once in ten minutes everything is compared, which finds what was deleted."""
    Certificate.delete().where(Certificate.serial == FOREIGN).execute()
    Terminal.delete().where(Terminal.terminal_id == "T9000001").execute()
    house.at_ms += 600_001
    house.live.refresh(house.at_ms)
    assert FOREIGN not in house.live.register.by_certificate and "T9000001" not in house.live.register.by_id


def test_commands_are_told_until_answered(house: House) -> None:
    """A command goes with every poll, hurries the next one, and goes no more once its answer is committed."""
    row = {"command": "c-1", "tenant": CITY, "terminal": Terminal.get(terminal_id="T0000001"), "act": "restart"}
    Command.create(**row, sent_by="person:a", created_ms=house.at_ms, expires_ms=house.at_ms + 60_000, document={})
    touch(Terminal.terminal_id == "T0000001", house.at_ms)
    house.live.refresh(house.at_ms)
    first = house.poll().json()
    assert len(first["commands"]) == 1 and first["sleep_s"] == 10.0
    told = house.poll({"answers": [{"command": "c-1", "result": "done"}]}).json()
    assert "commands" not in told and Command.get_by_id("c-1").state == "done"
    again = house.poll({"answers": [{"command": "c-1", "result": "failed"}]})
    assert again.status == 200 and Command.get_by_id("c-1").state == "done"


def test_a_command_whose_time_is_over_is_told_no_more(house: House) -> None:
    """Nobody needs to touch a row for that."""
    row = {"command": "c-1", "tenant": CITY, "terminal": Terminal.get(terminal_id="T0000001"), "act": "restart"}
    Command.create(**row, sent_by="person:a", created_ms=START_MS, expires_ms=START_MS + 60_000, document={})
    touch(Terminal.terminal_id == "T0000001", house.at_ms)
    house.live.refresh(house.at_ms)
    house.at_ms += 60_001
    house.live.register.read_ms = house.at_ms
    assert "commands" not in house.poll().json()


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"not json", 400), (b'{"epoch": "x"}', 400), (b"[" * 100_000, 413), (b" " * QUESTION_BYTES_MAX + b"{}", 413),
     (b'{"answers": [{"command": "c", "result": "perhaps"}]}', 400), (b"\xff\xfe", 400), (b"[" * 60_000, 400)],
)  # fmt: skip
def test_refused_questions(house: House, body: bytes, status: int) -> None:
    """What is no question is refused with a reason, and changes nothing."""
    answer = house.client.post(f"/{CITY}/terminal/v1/T0000001/poll", shown(SERIAL), body=body)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    house.live.flush()
    assert TerminalHealth.select().count() == 0


def test_a_report_counts_under_a_clock_that_was_set_back(house: House) -> None:
    """The server's clock was a year ahead for a while: what terminals tell now is not passed over for a year."""
    house.at_ms += 365 * 86_400_000
    house.live.refresh(house.at_ms)
    assert house.poll({"health": HEALTH}).status == 200
    house.live.flush()
    house.at_ms = START_MS
    house.live.refresh(house.at_ms)
    assert house.poll({"health": {**HEALTH, "serving": False}}).status == 200
    row = house.health()
    assert (row.seen_ms, row.serving) == (START_MS, False)


def test_a_number_without_end_is_refused(house: House) -> None:
    """A clock that is wrong by 10**400 ms: no terminal ends the server of all cities by it."""
    body = json.dumps({"health": HEALTH}).replace('"machine": {', f'"machine": {{"clock_offset_ms": 1{"0" * 400}, ')
    path = f"/{CITY}/terminal/v1/T0000001/poll"
    assert house.client.post(path, shown(SERIAL), body=body.encode()).status == 400
    assert house.poll({"health": {**HEALTH, "machine": {"clock_offset_ms": -300_000_000_000_000}}}).status == 200


def test_fields_of_a_later_version_are_passed_over(house: House) -> None:
    """Terminals and fleet are never updated in one moment."""
    assert house.poll({"later": 1, "health": {**HEALTH, "mood": "good"}}).status == 200
    assert "mood" not in json.dumps(house.health().report)


def test_refused_while_nothing_can_be_read(house: House) -> None:
    """A process that could not read for half a minute would miss a revocation: it sends everybody away."""
    house.at_ms += STALE_MS + 1
    answer = house.poll()
    assert answer.status == 503 and int(answer.headers["retry-after"]) >= 30


def test_what_was_not_written_is_kept(house: House, database: peewee.Database) -> None:
    """A writing that failed is done again, and a newer report of the same terminal wins."""
    house.poll({"desired_version": 1})
    database.execute_sql("ALTER TABLE terminal_health RENAME TO health_gone")
    try:
        with pytest.raises(peewee.PeeweeException):
            house.live.flush()
    finally:
        database.execute_sql("ALTER TABLE health_gone RENAME TO terminal_health")
    house.at_ms += 1_000
    house.poll({"desired_version": 2})
    assert house.health().desired_version == 2
