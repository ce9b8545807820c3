"""Who is sent away when too many come, and that nobody else notices."""

from pathlib import Path
from random import Random

import peewee
import pytest

from provisioning.fleet.live.room import LEAST, Room
from provisioning.fleet.settings import Polls
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.terminals import add_terminal
from tests.fleet.test_poll import House

ROOM = Polls(per_second_max=100.0, tenant_share=0.5, retry_after_s=30.0)


def storm(room: Room, calm_city: bool, seconds: int, polls: int) -> tuple[int, int]:
    """How many of the stormy city are taken on, and how many of the calm one (twenty a second) are sent away."""
    taken = lost = 0
    for second in range(seconds):
        for number in range(polls):
            now_s = 1000 + second + number / polls
            taken += room.enter("stormy", now_s)
            if calm_city and number % (polls // 20) == 0:
                lost += not room.enter("calm", now_s)
    return taken, lost


def test_one_citys_storm_slows_no_others_polls() -> None:
    """A city that comes a thousand strong gets its half; another one's polls are all taken on."""
    taken, lost = storm(Room(ROOM), calm_city=True, seconds=10, polls=1000)
    assert lost == 0 and 490 <= taken <= 600


def test_a_quiet_city_that_comes_now_and_then() -> None:
    """Two cities storm all the time; a third one whose terminals come every few seconds is never sent away."""
    room, lost = Room(ROOM), 0
    room.enter("quiet", 999.0)
    for second in range(1000, 1060):
        for number in range(1000):
            room.enter("stormy" if number % 2 else "other", second + number / 1000)
        if second % 7 == 0:
            lost += not room.enter("quiet", second + 0.9995)
    assert lost == 0


def test_a_city_alone_has_the_whole_room() -> None:
    """Nobody keeps room free for who does not come."""
    taken, _ = storm(Room(ROOM), calm_city=False, seconds=5, polls=1000)
    assert taken == 500


def test_a_loop_that_is_late_takes_fewer() -> None:
    """The room shrinks while the process is behind, never to nothing, and grows again."""
    room = Room(ROOM)
    for _ in range(50):
        room.woke(1.0)
    assert room.share == LEAST and room.enter("stormy", 1.0)
    for _ in range(100):
        room.woke(0.0)
    assert room.share == 1.0


def test_those_who_were_sent_away_come_back_spread() -> None:
    """Ten thousand too many for a room of a hundred a second are told to come back over at least a hundred seconds."""
    room = Room(ROOM, Random(7))
    for number in range(10_100):
        room.enter("stormy", 5.0 + number / 20_000)
    told = [room.retry_after_s() for _ in range(1000)]
    assert min(told) >= 30 and max(told) > 120
    busiest = max(sum(second <= one < second + 1 for one in told) for second in range(200))
    assert busiest / 1000 * 10_000 < 250


def test_the_backlog_is_forgotten() -> None:
    """An hour after a storm a terminal that is sent away is told the usual time."""
    room = Room(ROOM, Random(7))
    for _ in range(5_000):
        room.enter("stormy", 5.0)
    room.enter("stormy", 3_605.0)
    assert max(room.retry_after_s() for _ in range(100)) <= 60


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_refused_with_retry_after(database: peewee.Database, tmp_path: Path) -> None:
    """Through the whole application: the storm's polls are answered 503 with Retry-After and change nothing, the other
    city's are answered."""
    add_terminal("T0000001", CITY, "0A01")
    add_terminal("T9000001", OTHER, "0B01")
    house = House(tmp_path, Polls(per_second_max=1.0, tenant_share=1.0))
    stormy = [house.poll() for _ in range(30)]
    away = [answer for answer in stormy if answer.status == 503]
    assert len(away) > 20 and {answer.json()["code"] for answer in away} == {"later"}
    assert all(30 <= int(answer.headers["retry-after"]) <= 90 for answer in away)
