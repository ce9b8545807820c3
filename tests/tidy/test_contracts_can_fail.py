"""The contracts of import-linter find a planted import; without this, a misspelt contract would hold for ever."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.sources import CODE, HOUSE, tracked

# A file, the line planted in it, and the contract that must break.
PLANTED = [
    ("kiosk/domain/money.py", "import kiosk.ports", "The house"),
    ("kiosk/services/query_account.py", "import drivers.framing", "The house"),
    ("screens/__init__.py", "import drivers.framing", "The house"),
    ("kiosk/newcomer.py", "", "Every folder of kiosk"),
    ("kiosk/services/query_account.py", "import kiosk.visit.desk", "Every folder of kiosk"),
    ("kiosk/hosts/parts.py", "import kiosk.hosts.links", "Links are made"),
    ("kiosk/staff/typed_keys.py", "import kiosk.staff.menu", "How keys stand"),
    ("kiosk/staff/typed_keys.py", "import kiosk.money.refund", "How keys stand"),
    ("simulators/lines.py", "import drivers.framing", "The world outside"),
    ("kiosk/settings/config.py", "import kivy", "Kivy"),
    ("drivers/pin_pad/kmy/codec.py", "import serial", "Device libraries"),
    ("drivers/pin_pad/kmy/codec.py", "import time", "Codecs of drivers"),
    ("drivers/pin_pad/kmy/codec.py", "import kiosk.domain.money", "Codecs of drivers"),
    ("kiosk/hosts/social_insurance/codec.py", "import socket", "Codecs of hosts"),
    ("drivers/framing.py", "import requests", "requests"),
    ("kiosk/basics/log.py", "import peewee", "SQL"),
]


@pytest.fixture(scope="module")
def copy_of_the_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("house")
    for path in tracked():
        if path == "pyproject.toml" or (path.endswith(".py") and path.partition("/")[0] in CODE):
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(HOUSE / path, copy / path)
    return copy


def broken_contracts(house: Path) -> list[str]:
    # The copy comes first on the path, before the house that is installed in the virtual environment.
    program = (
        f"import sys; sys.path.insert(0, {str(house)!r}); from importlinter.cli import lint_imports_command as l; l()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--no-logo", "--no-cache"],
        cwd=house,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if " BROKEN" in line]


@pytest.mark.parametrize(("path", "line", "contract"), PLANTED)
def test_planted_import_breaks_its_contract(copy_of_the_house: Path, path: str, line: str, contract: str) -> None:
    """The contract breaks while the line is there."""
    file = copy_of_the_house / path
    before = file.read_bytes() if file.exists() else None
    try:
        file.write_bytes((before or b"") + f"\n{line}\n".encode())
        assert any(broken.startswith(contract) for broken in broken_contracts(copy_of_the_house))
    finally:
        if before is None:
            file.unlink()
        else:
            file.write_bytes(before)
