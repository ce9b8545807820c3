"""The console on both databases."""

from pathlib import Path

import peewee
import pytest

from tests.fleet.console.desk import Console


@pytest.fixture
def console(database: peewee.Database, tmp_path: Path) -> Console:
    return Console(tmp_path / "home")
