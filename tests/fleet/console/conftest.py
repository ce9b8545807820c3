"""The console on both databases."""

from pathlib import Path

import peewee
import pytest

from tests.fleet.conftest import CITY
from tests.fleet.console import town
from tests.fleet.console.desk import Console


@pytest.fixture
def console(database: peewee.Database, tmp_path: Path) -> Console:
    return Console(tmp_path / "home")


@pytest.fixture
def city(console: Console) -> Console:
    town.build(CITY, console.time.at_ms)
    return console
