"""PostgreSQL is restarted under a running process."""

import peewee
import psycopg
import pytest

from provisioning.fleet.database import LOST, step
from provisioning.fleet.schema.places import Tenant
from tests.fleet.conftest import CITY

ONLY_POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


def cut(url: str) -> None:
    """Every connection but this one ends, as at a restart."""
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'fleet'"
        )


@ONLY_POSTGRESQL
def test_a_question_after_a_restart(database: peewee.Database, postgresql: str) -> None:
    """The first question of a thread fails, the next finds a new connection."""
    cut(postgresql)
    with pytest.raises(LOST):
        Tenant.get_by_id(CITY)
    assert Tenant.get_by_id(CITY).code == CITY


@ONLY_POSTGRESQL
def test_a_step_that_is_cut(database: peewee.Database, postgresql: str) -> None:
    """A step whose connection breaks leaves nothing behind, and the next one stands."""
    with pytest.raises(LOST), step():
        Tenant.update(name_en="half").where(Tenant.code == CITY).execute()
        cut(postgresql)
        Tenant.update(name_zh="half").where(Tenant.code == CITY).execute()
    with step():
        Tenant.update(name_zh="whole").where(Tenant.code == CITY).execute()
    row = Tenant.get_by_id(CITY)
    assert (row.name_en, row.name_zh) == (CITY, "whole")
