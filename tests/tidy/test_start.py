"""What a kiosk has imported before its first page: nothing that this page does not need.

Figures belong to a machine, so none gates a test (docs/measurements.md). What makes them does.
"""

import subprocess
import sys

import pytest

# Name -> why the first page must not wait for it.
NOT_AT_START = {
    "requests": "60 ms: in the thread of the first call to a host",
    "urllib3": "with requests",
    "pyhanko": "seals are judged in a process of their own",
    "asn1crypto": "with pyhanko",
    "cryptography.x509": "10 ms: with the first staff card, and in the doctor",
    "asyncio": "8 ms: Kivy's clock is told to use trio",
    "polib": "at build time only: the catalog is compiled",
    "segno": "with the first code that is drawn",
    "kivy": "opens a window: when the screen is made, and for no other command",
    "simulators": "never in the product",
}
# peewee loads every driver that is installed; PostgreSQL's is the fleet's and never on a terminal.
_START = "import sys; sys.modules['psycopg'] = None; import kiosk.commands, kiosk.app, screens.app; print(*sys.modules)"


@pytest.fixture(scope="module")
def imported() -> set[str]:
    said = subprocess.run([sys.executable, "-c", _START], capture_output=True, text=True, timeout=60, check=True)
    return set(said.stdout.split())


@pytest.mark.parametrize("name", NOT_AT_START)
def test_the_start_does_not_import(name: str, imported: set[str]) -> None:
    """Neither the command line nor the screen, before it is made, loads this library."""
    assert "kiosk.visit.session" in imported
    assert name not in imported, NOT_AT_START[name]


def test_kivy_brings_no_asyncio() -> None:
    """Once Kivy is told what it must know, its clock imports trio alone."""
    words = (
        "import sys, tempfile, pathlib; from screens.environment import prepare;"
        "prepare(64, 64, pathlib.Path(tempfile.mkdtemp())); import kivy.clock; print('asyncio' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout.strip() == "False"
