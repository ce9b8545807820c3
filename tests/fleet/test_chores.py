"""What the fleet does by itself: once, by one process, and on when that one is gone."""

import peewee

from provisioning.fleet.chores import LEASE_MS, Chore, Chores
from provisioning.fleet.schema.alerts import Alert
from provisioning.fleet.schema.terminals import TerminalHealth
from tests.fleet.conftest import CITY
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
