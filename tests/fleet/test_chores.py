"""What the fleet does by itself: once, by one process, and on when that one is gone."""

from pathlib import Path
from typing import Any

import apsw
import msgspec
import peewee
import pytest

from kiosk.basics.signed import NotTrusted
from provisioning.fleet.actor import NotFound, Refused
from provisioning.fleet.chores import LEASE_MS, Chore, Chores
from provisioning.fleet.rollouts.advance import advance_all
from provisioning.fleet.schema.alerts import Alert
from provisioning.fleet.schema.epoch import FleetDocument
from provisioning.fleet.schema.rollouts import Rollout
from provisioning.fleet.schema.software import DistributionSet
from provisioning.fleet.schema.terminals import TerminalHealth
from provisioning.fleet.settings import FleetSettings
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.terminals import add_terminal

NOW_MS = 1_800_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


def test_one_process_does_it_until_it_is_gone(database: peewee.Database) -> None:
    """The second waits out the lease of the first, then goes on."""
    clock, done = Clock(), list[str]()
    first, second = (Chores(clock, me=me) for me in ("first", "second"))
    chores = {chores.me: Chore("x", 1.0, lambda at_ms, me=chores.me: done.append(me)) for chores in (first, second)}
    assert [first.do_once(chores["first"]), second.do_once(chores["second"])] == [True, False]
    clock.now_ms += LEASE_MS - 1
    assert not second.do_once(chores["second"])
    clock.now_ms += 1
    assert second.do_once(chores["second"])
    assert not first.do_once(chores["first"])
    assert done == ["first", "second"]


def test_two_processes_find_one_alert(database: peewee.Database) -> None:
    """Both look all the time; a silent terminal is one alert."""
    terminal, clock = add_terminal("T0000001", CITY), Clock()
    add_terminal("T0000002", CITY)
    TerminalHealth.create(terminal=terminal, seen_ms=NOW_MS - 10_000_000)
    for _ in range(3):
        for chores in (Chores(clock, me="first"), Chores(clock, me="second")):
            for chore in chores.all():
                chores.do_once(chore)
        clock.now_ms += 1000
    assert [one.rule for one in Alert.select()] == ["silent"]


def test_a_database_that_is_away_ends_nothing(database: peewee.Database) -> None:
    """It is logged, and done again next time."""

    def fail(at_ms: int) -> None:
        raise peewee.OperationalError("gone")

    assert not Chores(Clock()).do_once(Chore("x", 1.0, fail))


TROUBLES = [OSError("disk"), ValueError("address"), NotTrusted("memo"), NotFound("set"), Refused("x", "y")]


@pytest.mark.parametrize("trouble", [*TROUBLES, msgspec.ValidationError("gate")], ids=lambda one: type(one).__name__)
def test_what_one_city_does_wrong_ends_no_server(database: peewee.Database, trouble: Exception) -> None:
    """A key file that is gone, an address that is none, a set that was put aside: logged, and looked at again."""

    def fail(at_ms: int) -> None:
        raise trouble

    assert not Chores(Clock()).do_once(Chore("x", 1.0, fail))


def test_a_city_whose_key_cannot_be_read_hinders_no_other(database: peewee.Database, tmp_path: Path) -> None:
    """Its memo waits for whoever mends the file; the next city has its own."""
    folder = tmp_path / "city-keys"
    folder.mkdir()
    (folder / f"{CITY}.pem").write_bytes(b"half a file")
    chores = Chores(Clock(), FleetSettings(home=str(tmp_path), public=str(tmp_path)))
    chores.do_once(next(chore for chore in chores.all() if chore.name == "memos"))
    assert {row.tenant_id for row in FleetDocument.select()} >= {OTHER}


def test_a_clock_that_was_set_back_stops_no_chore(database: peewee.Database) -> None:
    """A lease of a process that ended while the clock was a year ahead binds nobody."""
    clock, done = Clock(), list[int]()
    chore = Chore("x", 1.0, done.append)
    assert Chores(clock, me="first").do_once(chore)
    clock.now_ms -= 365 * 86_400_000
    assert Chores(clock, me="second").do_once(chore)
    assert not Chores(clock, me="third").do_once(chore)
    assert len(done) == 2


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_rollouts_move_on_while_another_process_writes_between_two_of_them(
    database: peewee.Database, tmp_path: Path
) -> None:
    """Each look is a step of its own, and after each another connection writes. A question that still stood open would
    keep the state of before, and SQLite would refuse the next step at once, however long it may wait."""
    whose = {"created_by": "x", "changed_by": "x", "created_ms": 0, "changed_ms": 0}
    new = DistributionSet.create(tenant=CITY, kind="app", name="kiosk", version="1", **whose)
    for number in range(3):
        Rollout.create(tenant=CITY, name=f"r{number}", set=new, gate={}, state="running", created_by="x", created_ms=0)
    other = apsw.Connection(str(tmp_path / "fleet.db"))
    connection: Any = database.connection()  # type: ignore[no-untyped-call] # the stubs leave it out
    written = list[int]()

    def write(*about: object) -> int:
        written.append(1)
        other.execute("UPDATE tenant SET name_en = name_en || 'x'")
        return apsw.SQLITE_OK

    connection.set_wal_hook(write)
    try:
        assert advance_all(NOW_MS) == 3
    finally:
        connection.set_wal_hook(None)
        other.close()
    assert len(written) == 3
