"""An office with its first root published."""

from pathlib import Path

import pytest

from tests.fleet.updates.office import Office


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office(tmp_path)
    made.begin()
    return made
