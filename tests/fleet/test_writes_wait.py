"""Whoever writes on SQLite waits for its turn, whatever was read before: another connection writes all the time."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import peewee
import pytest

from provisioning.fleet.alerts.deliver import deliver, plan
from provisioning.fleet.alerts.told import add_route
from provisioning.fleet.database import cause_of, open_database, step
from provisioning.fleet.schema.alerts import Alert, Delivery
from provisioning.fleet.schema.base import proxy
from provisioning.fleet.schema.places import Place, Tenant
from tests.fleet.conftest import CITY, make_cities
from tests.fleet.people import make_person
from tests.fleet.standing_open import watched_connections

NOW_MS = 1_800_000_000_000
Write = Callable[[], None]


@pytest.fixture
def another(tmp_path: Path) -> Iterator[Write]:
    """Writes as another process does, in the fleet that is open here."""
    opened = open_database(f"sqlite:///{tmp_path}/fleet.db")
    make_cities()
    other = apsw.Connection(str(tmp_path / "fleet.db"))
    other.set_busy_timeout(1000)

    def write() -> None:
        other.execute("UPDATE tenant SET name_zh = name_zh || 'x'")

    try:
        yield write
    finally:
        other.close()
        opened.close()


def rename(code: str) -> None:
    Tenant.update(name_en="renamed").where(Tenant.code == code).execute()


def in_a_step(code: str) -> None:
    with step():
        rename(code)


@pytest.mark.parametrize("write", [rename, in_a_step], ids=["at once", "as a step"])
def test_rows_are_read_before_the_first_is_acted_on(another: Write, write: Callable[[str], None]) -> None:
    """A loop over a question writes for each of its rows, and between two of them another process does."""
    for row in Tenant.select():
        another()
        write(row.code)
    assert {row.name_en for row in Tenant.select()} == {"renamed"}


@pytest.mark.parametrize(
    "ask",
    [lambda query: query.first(), lambda query: query.get(), lambda query: next(iter(query)), lambda query: query[0]],
    ids=["first", "get", "the first of a loop", "by its number"],
)
def test_a_question_of_which_one_row_was_taken_holds_up_nobody(another: Write, ask: Callable[[Any], Any]) -> None:
    """It is still in somebody's hands while both write."""
    query = Tenant.select().order_by(Tenant.code)
    assert ask(query)
    another()
    in_a_step(CITY)
    assert Tenant.get_by_id(CITY).name_en == "renamed"


def test_messages_go_out_while_others_write(another: Write) -> None:
    """A gateway takes its time, and meanwhile polls are kept: each message is noted as sent, and goes once."""
    place = Place.get(Place.tenant == CITY)
    administrator = make_person(CITY, "administrator", "system_admin")
    add_route(administrator, place.id, "duty", "https://duty.test", "warning", (0, 24), 0, NOW_MS)
    about = {"tenant": CITY, "rule": "silent", "severity": "urgent", "role": "operator", "runbook": "", "place": place}
    for number in range(3):
        Alert.create(subject=f"T{number}", began_ms=NOW_MS, told_ms=NOW_MS, **about)

    def send(url: str, body: bytes) -> str:
        another()
        return ""

    plan(CITY, NOW_MS)
    assert deliver(CITY, send, NOW_MS) == 3
    assert Delivery.select().where(Delivery.sent_ms.is_null()).count() == 0


def test_the_watch_over_these_tests_sees_what_it_is_there_for(another: Write) -> None:
    """Who streams rows and writes beside them is found, and refused at once instead of after its turn."""
    proxy.obj.close()
    with watched_connections() as found:
        proxy.obj.connect()
        rows = Tenant.select().iterator()
        next(rows)
        another()
        with pytest.raises(peewee.OperationalError) as refused:
            rename(CITY)
        rows.close()
    assert len(found) == 1
    assert cause_of(refused.value) == "SQLITE_BUSY_SNAPSHOT", "and the log of a chore names it"
