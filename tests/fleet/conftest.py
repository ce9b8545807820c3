"""The fleet on both of its databases."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import peewee
import psycopg
import pytest

from provisioning.fleet.database import open_database
from provisioning.fleet.schema import TABLES
from provisioning.fleet.schema.places import PROVINCE, Place, Tenant
from simulators.postgresql import open_postgresql
from tests.fleet.standing_open import watched_connections

CITY, OTHER = "demo-city", "other-city"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """One server for the whole run; its data in a short path, as UNIX sockets want."""
    folder = Path(tempfile.mkdtemp(prefix="ykpg"))
    folder.chmod(0o755)
    try:
        with open_postgresql(folder) as url:
            _hasten(url)
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _hasten(url: str) -> None:
    """What survives a power cut is PostgreSQL's own affair; waiting for its disk at each test would be minutes."""
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[peewee.Database]:
    """An empty fleet with the province and two cities of one place each, on both databases in turn.

    PostgreSQL keeps its tables from test to test, and their rows go: making tables takes it a second.
    """
    url = f"sqlite:///{tmp_path}/fleet.db" if request.param == "sqlite" else request.getfixturevalue("postgresql")
    opened = open_database(url)
    make_cities()
    try:
        yield opened
    finally:
        if request.param == "postgresql":  # the other one's file goes with its folder
            names = ", ".join(f'"{table._meta.table_name}"' for table in TABLES)
            opened.execute_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
        opened.close()


def make_cities() -> None:
    """The province and two cities of one place each, in the database that is open."""
    for code in (PROVINCE, CITY, OTHER):
        Tenant.create(code=code, name_zh=code, name_en=code, created_ms=0)
        place = Place.create(tenant=code, kind="city", name_zh=code, name_en=code, path="")
        Place.update(path=f"/{place.id}/").where(Place.id == place.id).execute()


@pytest.fixture(autouse=True)
def nobody_writes_beside_an_open_question() -> Iterator[None]:
    """In no test of the fleet."""
    with watched_connections() as found:
        yield
    assert found == []
