"""The image that is tested: ``make test-image`` builds it first; each test starts it on a disk of its own."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.settings.config import Settings, load_settings
from tests.appliance.disks import Built, built

HOUSE = Path(__file__).resolve().parents[2]
SAID_MAX = 20_000  # characters of a serial line
FACTS = HOUSE / "image/files/usr/lib/yikatong-image/local/settings.toml"


@pytest.fixture(scope="session")
def image() -> Built:
    """What `make image` made. Not there: the test fails, because nobody looked at what it was to look at."""
    return built(HOUSE / "out" / "image")


@pytest.fixture
def bench() -> Iterator[Path]:
    """A folder for one machine, with a name short enough for UNIX sockets. What it said last is kept of a failure."""
    folder = Path(tempfile.mkdtemp(prefix="yk-"))
    yield folder
    for log in sorted(folder.glob("*/serial.log")):
        print(f"--- {log.parent.name}\n{log.read_text(errors='replace')[-SAID_MAX:]}")
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def unknown() -> Settings:
    """What an image says of itself that nobody told anything."""
    return load_settings(FACTS)
