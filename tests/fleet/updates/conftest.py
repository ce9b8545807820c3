"""An office with its first root published."""

from pathlib import Path

import pytest

from tests.fleet.updates.office import Office
from tests.fleet.updates.stand import Terminal


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office(tmp_path)
    made.begin()
    return made


@pytest.fixture
def terminal(office: Office, tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "terminal", office)
