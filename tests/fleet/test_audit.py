"""The audit trail."""

from concurrent.futures import ThreadPoolExecutor

import peewee
import pytest

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor
from provisioning.fleet.database import step
from provisioning.fleet.schema.audit import AuditHead, AuditRow
from tests.fleet.conftest import CITY, OTHER

OFFICER = Actor(CITY, "person:officer")


def test_rows_of_many_threads_make_one_chain(database: peewee.Database) -> None:
    """Whoever writes at once follows one another; no number is used twice."""

    def write(number: int) -> int:
        with database.connection_context():
            return audit.record(OFFICER, number, "test", f"T{number:07d}")

    with ThreadPoolExecutor(8) as threads:
        numbers = list(threads.map(write, range(40)))
    assert sorted(numbers) == list(range(1, 41))
    assert audit.verify(CITY).rows == 40


def test_a_row_stands_only_with_what_it_tells(database: peewee.Database) -> None:
    """What is turned back leaves no trace of having been done."""
    with pytest.raises(RuntimeError), step():
        audit.record(OFFICER, 1, "test", "T0000001")
        raise RuntimeError("the act failed")
    assert audit.verify(CITY) == audit.Verdict(0, audit.NOTHING_BEFORE)


@pytest.mark.parametrize("harm", ["changed", "taken out", "cut off"])
def test_what_is_changed_is_found(database: peewee.Database, harm: str) -> None:
    """A row that was changed, taken from the middle or from the end breaks the chain there."""
    for number in range(1, 6):
        audit.record(OFFICER, number, "test", "T0000001", "for a test", {"number": number})
    where = (AuditRow.tenant == CITY) & (AuditRow.seq == (5 if harm == "cut off" else 3))
    if harm == "changed":
        AuditRow.update(why="for no reason").where(where).execute()
    else:
        AuditRow.delete().where(where).execute()
    assert audit.verify(CITY).broken_at == {"changed": 3, "taken out": 4, "cut off": 5}[harm]


def test_cities_have_chains_of_their_own(database: peewee.Database) -> None:
    """What one city does neither moves nor shows in another's trail."""
    audit.record(OFFICER, 1, "test", "T0000001")
    assert audit.verify(OTHER).rows == 0
    assert AuditHead.get_by_id(CITY).seq == 1
