"""An office with its first root published."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fleet.updates.office import Office
from tests.fleet.updates.stand import Terminal

MEMORY = Path("/dev/shm")


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where flushing costs nothing: an update is some hundred flushes, and here are hundreds."""
    if not MEMORY.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="yikatong-") as folder:
        yield Path(folder)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office(tmp_path)
    made.begin()
    return made


@pytest.fixture
def terminal(office: Office, tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "terminal", office)
